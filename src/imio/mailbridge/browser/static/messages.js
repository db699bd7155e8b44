// Reloads the list of e-mails while one of them is about to change, for at most ten minutes, and counts down to its leaving.
(() => {
    const end = Date.now() + 10 * 60 * 1000;
    let begun = performance.now();
    const find = (list, key) => list.querySelector(`[data-key="${CSS.escape(key)}"]`);

    // What is open stays open, and the keyboard stays where it is.
    function replace(list, fresh) {
        for (const details of list.querySelectorAll("details[data-key]")) {
            const same = find(fresh, details.dataset.key);
            if (!same || same.dataset.state !== details.dataset.state) continue;
            same.open = details.open;
            // What was fetched when it was opened stays.
            if (same.dataset.version && same.dataset.version === details.dataset.version) same.replaceWith(details);
        }
        const focused = list.contains(document.activeElement) && document.activeElement.closest("[data-key]");
        list.replaceWith(fresh);
        window.jQuery?.(document).trigger("patterns-injected", [null, null, fresh]);
        if (focused) (find(fresh, focused.dataset.key) || fresh.querySelector("summary"))?.focus();
        begun = performance.now();
    }

    function count() {
        const passed = (performance.now() - begun) / 1000;
        for (const place of document.querySelectorAll("#mailbridge-messages [data-seconds]")) {
            const left = Math.ceil(Number(place.dataset.seconds) - passed);
            if (left <= 120) place.textContent = place.dataset.text.replace("SECONDS", Math.max(0, left));
        }
    }

    async function refresh() {
        const list = document.getElementById("mailbridge-messages");
        if (!list || !list.querySelector('[data-waiting="yes"]') || Date.now() > end) return;
        try {
            const response = await fetch(list.dataset.url, { headers: { "X-Requested-With": "XMLHttpRequest" } });
            if (response.ok) {
                const page = new DOMParser().parseFromString(await response.text(), "text/html");
                const fresh = page.getElementById("mailbridge-messages");
                if (fresh && fresh.dataset.version !== list.dataset.version) replace(list, fresh);
            }
        } finally {
            setTimeout(refresh, 2000);
        }
    }

    count();
    setInterval(count, 1000);
    setTimeout(refresh, 1000);
})();

// A text that the browser kept until the server had it (draft.js) goes when its message is in the list.
(() => {
    for (const key of Object.keys(localStorage).filter((name) => name.startsWith("mailbridge-draft:"))) {
        const { submission } = JSON.parse(localStorage.getItem(key)) || {};
        if (document.querySelector(`#mailbridge-messages [data-key="${CSS.escape(submission)}"]`)) localStorage.removeItem(key);
    }
})();
