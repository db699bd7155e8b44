// Asks once a minute, while the page is seen, whether a count of My mail has changed; says so politely and moves nothing.
(() => {
    const list = document.getElementById("mailbridge-counts");
    const news = document.querySelector("#mailbridge-news a");
    if (!list) return;

    async function refresh() {
        if (document.hidden) return;
        const response = await fetch(list.dataset.url, { headers: { "X-Requested-With": "XMLHttpRequest" } }).catch(() => null);
        if (!response?.ok || response.redirected) return;
        for (const [key, count] of Object.entries(await response.json())) {
            const badge = list.querySelector(`[data-count="${CSS.escape(key)}"]`);
            if (!badge || badge.textContent === String(count)) continue;
            badge.textContent = count;
            badge.classList.replace("text-bg-light", "text-bg-primary");
            news.hidden = false;
        }
    }

    setInterval(refresh, Number(list.dataset.interval) || 60000);
    document.addEventListener("visibilitychange", refresh);
})();
