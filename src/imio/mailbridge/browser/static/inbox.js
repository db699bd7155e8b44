// Keys of the list of incoming messages, the line whose message is open, and who else looks at it. All works without, by mouse.
(() => {
    const desk = document.querySelector(".mailbridge-inbox, .mailbridge-alone");
    if (!desk) return;
    const pane = desk.querySelector("#mailbridge-pane") || desk;
    const help = document.querySelector(".mailbridge-keys");
    const use = document.querySelector("#mailbridge-use-keys");
    const shown = () => pane.querySelector("[data-id]")?.dataset.id;
    let current = shown();

    function mark() {
        for (const line of desk.querySelectorAll("tr[data-id]")) {
            const here = line.dataset.id === current;
            line.classList.toggle("table-active", here);
            const link = line.querySelector("a");
            here ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
            if (here) line.scrollIntoView({ block: "nearest" });
        }
    }

    function move(by) {
        const lines = [...desk.querySelectorAll("tr[data-id]")];
        const line = lines[lines.findIndex((one) => one.dataset.id === current) + by];
        if (!line) {
            desk.querySelector(`.pagination .${by > 0 ? "next" : "previous"} a`)?.click();
            return;
        }
        line.querySelector("a").focus();
        line.querySelector("a").click();
    }

    const keys = {
        j: () => move(1),
        k: () => move(-1),
        a: () => current === shown() && pane.querySelector("[data-mailbridge-key=a]")?.click(),
        e: () => {
            const discard = pane.querySelector(".mailbridge-discard");
            if (!discard || current !== shown()) return;
            discard.open = true;
            discard.querySelector("button").focus();
        },
        o: () => pane.querySelector(".mailbridge-open")?.click(),
        "?": () => help?.showModal(),
    };
    document.addEventListener("keydown", (event) => {
        const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog");
        if (typing || event.ctrlKey || event.altKey || event.metaKey || event.repeat || !keys[event.key]) return;
        if (event.key !== "?" && localStorage.getItem("mailbridge-keys") === "off") return;
        event.preventDefault();
        keys[event.key]();
    });
    if (help) {
        const button = document.querySelector(".mailbridge-show-keys");
        button.hidden = false;
        button.addEventListener("click", keys["?"]);
        use.checked = localStorage.getItem("mailbridge-keys") !== "off";
        use.addEventListener("change", () => localStorage.setItem("mailbridge-keys", use.checked ? "on" : "off"));
    }

    // Say that I look at this message, and show who else does, or that it was decided on meanwhile.
    async function look() {
        const token = desk.querySelector("[name=_authenticator]");
        const place = pane.querySelector(".mailbridge-looking");
        if (!token || !place || document.hidden || !place.offsetParent) return;
        const waits = pane.querySelector(".mailbridge-discard") ? "1" : "";
        const body = new URLSearchParams({ id: shown(), waits, _authenticator: token.value });
        const response = await fetch(desk.dataset.looking, { method: "POST", body });
        if (!response.ok || !place.isConnected) return;
        place.replaceChildren(
            ...(await response.json()).map((text) => {
                const line = document.createElement("p");
                line.className = "border rounded bg-warning-subtle px-2 py-1 mb-2";
                line.textContent = text;
                return line;
            })
        );
    }

    desk.addEventListener("click", (event) => {
        const line = event.target.closest("tr[data-id]");
        if (!line || !event.target.closest("a")) return;
        current = line.dataset.id;
        mark();
    });
    new MutationObserver(() => {
        if (!shown() || !pane.id) return;
        desk.classList.add("mailbridge-reading");
        if (!desk.querySelector(".mailbridge-list").offsetParent) scrollTo(0, 0);
        current = shown();
        mark();
        look();
    }).observe(pane, { childList: true });
    document.querySelector(".mailbridge-done")?.focus({ preventScroll: true });
    mark();
    look();
    setInterval(look, 60000);
})();
