// Copies the report; without it the text is selected and copied by hand.
(() => {
  const button = document.getElementById("diagnosis-copy");
  const text = document.getElementById("diagnosis-text");
  if (!button || !text) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    text.select();
    if (navigator.clipboard) navigator.clipboard.writeText(text.value);
    else document.execCommand("copy");
  });
})();
