// Says that an answer is being tried, and prints the last page; without this script the browser shows it, and its menu prints.
(() => {
  const trying = document.getElementById("setup-trying");
  if (trying) trying.closest("form").addEventListener("submit", () => (trying.hidden = false));
  const button = document.getElementById("setup-print");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => window.print());
})();
