// Copies a secret address; without this script it is selected and copied by hand.
(() => {
  for (const button of document.querySelectorAll(".mailbridge-copy")) {
    const text = document.getElementById(button.dataset.copies);
    if (!text) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      text.select();
      if (navigator.clipboard) navigator.clipboard.writeText(text.value);
      else document.execCommand("copy");
    });
  }
})();
