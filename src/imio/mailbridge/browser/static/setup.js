// Prints the last page of the set-up; without this script the browser's own menu does.
(() => {
  const button = document.getElementById("setup-print");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => window.print());
})();
