// Reloads the list of e-mails while one of them is still on its way, for at most five minutes.
(() => {
    const end = Date.now() + 5 * 60 * 1000;

    async function refresh() {
        const list = document.getElementById("mailbridge-messages");
        if (!list || !list.querySelector('[data-waiting="yes"]') || Date.now() > end) return;
        try {
            const response = await fetch(list.dataset.url, { headers: { "X-Requested-With": "XMLHttpRequest" } });
            if (response.ok) {
                const page = new DOMParser().parseFromString(await response.text(), "text/html");
                const fresh = page.getElementById("mailbridge-messages");
                if (fresh && fresh.textContent !== list.textContent) list.replaceWith(fresh);
            }
        } finally {
            setTimeout(refresh, 2000);
        }
    }

    setTimeout(refresh, 1000);
})();
