// Keeps the line "Leaves in the name of …" and the errors at the fields true while the agent writes, and the signature that of the
// sender. Without it the button "Preview" does the same.
(() => {
    const panel = document.getElementById("mailbridge-preview");
    const form = document.getElementById("mailbridge-compose");
    if (!panel || !form) return;
    const target = Object.fromEntries([...panel.querySelectorAll("[data-preview]")].map((el) => [el.dataset.preview, el]));
    let timer, latest = 0;

    /** Show what is wrong at its field; what the server said when the page was sent goes when the field is right. */
    function showErrors(errors) {
        for (const shown of form.querySelectorAll(".mailbridge-error")) shown.remove();
        for (const { field, message } of errors) {
            const place = document.getElementById(`formfield-form-widgets-${field}`);
            if (!place || place.classList.contains("error")) continue;
            const text = document.createElement("div");
            text.className = "mailbridge-error text-danger";
            text.setAttribute("role", "alert");
            text.textContent = message;
            place.append(text);
        }
    }

    async function refresh() {
        const mine = ++latest;
        if (window.tinymce) window.tinymce.triggerSave();
        let answer;
        try {
            const response = await fetch(panel.dataset.url, { method: "POST", body: new FormData(form), redirect: "error" });
            answer = await response.json();
        } catch {
            return; // the page still works; the server checks again on sending
        }
        if (mine !== latest) return;
        showErrors(answer.errors || []);
        if (answer.errors) return;
        for (const name of ["line", "from", "reply_to", "envelope_sender", "size"]) target[name].textContent = answer[name] || "—";
    }

    // Another sender has another signature. One that the agent changed, or took out, is the agent's own.
    const sender = form.querySelector("select[name^='form.widgets.sender']");
    const signatures = JSON.parse(panel.dataset.signatures);
    const parse = (html) => new DOMParser().parseFromString(html, "text/html").body;
    const words = (html) => parse(html).textContent.replace(/\s+/g, " ").trim();
    const known = new Set(Object.values(signatures).map(words));
    let before = sender?.value;

    function sign() {
        const field = form.elements["form.widgets.body"];
        const editor = window.tinymce?.get(field.id);
        const body = parse(editor ? editor.getContent() : field.value);
        const present = body.querySelector(".mailbridge-signature");
        const after = signatures[sender.value] || "";
        const isOwn = present && !known.has(words(present.outerHTML));
        document.getElementById("mailbridge-own-signature").hidden = !isOwn || before === sender.value;
        if (present && !isOwn) {
            if (words(present.outerHTML) === words(after)) return;
            present.outerHTML = after;
        } else if (!present && !signatures[before]) body.insertAdjacentHTML("beforeend", after);
        else return;
        if (editor) editor.setContent(body.innerHTML);
        else field.value = body.innerHTML;
    }
    sender?.addEventListener("change", () => {
        sign();
        before = sender.value;
    });

    form.addEventListener("change", () => {
        clearTimeout(timer);
        timer = setTimeout(refresh, 300);
    });
    refresh();
})();

// What is wrong or doubtful about the e-mail is read before the agent goes on. The editor above it grows after the page is there.
(() => {
    const doubts = document.getElementById("mailbridge-doubts");
    if (!doubts) return;
    const show = () => doubts.scrollIntoView({ block: "center" });
    doubts.focus({ preventScroll: true });
    show();
    const observer = new ResizeObserver(show);
    observer.observe(doubts.closest("form"));
    const stop = () => observer.disconnect();
    for (const name of ["keydown", "wheel", "pointerdown", "touchstart"]) window.addEventListener(name, stop, { once: true, passive: true });
    setTimeout(stop, 5000);
    // A link leads into its field, also where select2 or the editor stands in the field's place.
    for (const link of doubts.querySelectorAll("a[href^='#formfield']")) {
        link.addEventListener("click", (event) => {
            event.preventDefault();
            const place = document.getElementById(link.hash.slice(1));
            place.scrollIntoView({ block: "center" });
            const textarea = place.querySelector("textarea");
            const editor = textarea && window.tinymce?.get(textarea.id);
            if (editor) editor.focus();
            else place.querySelector(".select2-input, select, input:not([type=hidden]), textarea")?.focus();
        });
    }
})();

// An answer is written above what it quotes.
(() => {
    const field = document.querySelector("#mailbridge-compose textarea[name='form.widgets.body']");
    if (!field?.value.includes('class="mailbridge-quote"') || document.getElementById("mailbridge-doubts")) return;
    const first = document.activeElement; // the editor comes later: who has gone elsewhere by then stays there
    let left = 100;
    const timer = setInterval(() => {
        const editor = window.tinymce?.get(field.id);
        if (!--left) clearInterval(timer);
        if (!editor?.initialized) return;
        clearInterval(timer);
        if (first !== document.body && document.activeElement !== first) return;
        editor.focus();
        editor.selection.setCursorLocation(editor.getBody().firstChild, 0);
    }, 100);
})();
