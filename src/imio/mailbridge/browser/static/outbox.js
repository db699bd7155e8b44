// Ticks all messages of the page; without it each is ticked by hand.
(() => {
  const all = document.querySelector(".mailbridge-all");
  if (!all) return;
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const one of document.querySelectorAll("[name='ids:list']")) one.checked = all.checked;
  });
})();
