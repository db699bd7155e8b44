// Keeps the panel "This is how the e-mail leaves" true while the agent writes. Without it the button "Preview" does the same.
(() => {
    const panel = document.getElementById("mailbridge-preview");
    const form = document.querySelector("form.mailbridge-compose, #content-core form, #content form[enctype]");
    if (!panel || !form) return;
    const target = Object.fromEntries([...panel.querySelectorAll("[data-preview]")].map((el) => [el.dataset.preview, el]));
    let timer, latest = 0;

    async function refresh() {
        const mine = ++latest;
        if (window.tinymce) window.tinymce.triggerSave();
        let answer;
        try {
            const response = await fetch(panel.dataset.url, { method: "POST", body: new FormData(form) });
            answer = await response.json();
        } catch {
            return; // the page still works; the server checks again on sending
        }
        if (mine !== latest) return;
        target.errors.textContent = (answer.errors || []).join(" ");
        if (answer.errors) return;
        for (const name of ["from", "reply_to", "envelope_sender", "size"]) target[name].textContent = answer[name] || "—";
    }

    // Another sender has another signature. One that the agent changed, or took out, is the agent's own.
    const sender = form.querySelector("select[name^='form.widgets.sender']");
    const signatures = JSON.parse(panel.dataset.signatures);
    const parse = (html) => new DOMParser().parseFromString(html, "text/html").body;
    const words = (html) => parse(html).textContent.replace(/\s+/g, " ").trim();
    let before = sender?.value;

    sender?.addEventListener("change", () => {
        const field = form.elements["form.widgets.body"];
        const editor = window.tinymce?.get(field.id);
        const body = parse(editor ? editor.getContent() : field.value);
        const present = body.querySelector(".mailbridge-signature");
        const after = signatures[sender.value] || "";
        if (present && words(present.outerHTML) === words(signatures[before] || "")) present.outerHTML = after;
        else if (!present && !signatures[before]) body.insertAdjacentHTML("beforeend", after);
        if (editor) editor.setContent(body.innerHTML);
        else field.value = body.innerHTML;
        before = sender.value;
    });

    // The address fields drop what stands between angle brackets: Name <a@b.be> becomes a@b.be (Name), as they show it.
    form.addEventListener("input", (event) => {
        if (!event.target.matches(".select2-input")) return;
        const turned = event.target.value.replace(/"?([^"<>,;]*?)"?\s*<([^<>\s]+)>/g, (_, name, address) =>
            name.trim() ? `${address} (${name.trim()})` : address,
        );
        if (turned !== event.target.value) event.target.value = turned;
    }, true);

    form.addEventListener("change", () => {
        clearTimeout(timer);
        timer = setTimeout(refresh, 300);
    });
    refresh();
})();

// What is doubtful about the e-mail is read before the agent goes on.
document.getElementById("mailbridge-doubts")?.focus();
