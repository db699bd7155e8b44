// Inserts a template or block at the cursor, filled in by the server; without it the button of the form inserts at the top.
(() => {
    const box = document.getElementById("mailbridge-templates");
    const form = document.getElementById("mailbridge-compose");
    const select = box?.querySelector("select");
    if (!select || !form) return;
    const place = document.getElementById("formfield-form-widgets-body");
    if (place) place.before(box);
    const [insert, fill] = box.querySelectorAll("button");
    const problems = box.querySelector("[role=alert]");
    const unanswered = box.querySelector("[data-problem=network]");
    const subject = form.elements["form.widgets.subject"];
    const field = form.elements["form.widgets.body"];
    const EMPTY = /^(?:\s*<p>(?:&nbsp;|\s|<br ?\/?>)*<\/p>)+\s*/;
    const NOT_OURS = ".mailbridge-quote, .mailbridge-signature";

    function show(sentences) {
        problems.hidden = !sentences.length;
        problems.firstElementChild.replaceChildren(...sentences.map((sentence) => {
            const item = document.createElement("li");
            item.textContent = sentence;
            return item;
        }));
    }

    async function ask(name) {
        if (window.tinymce) window.tinymce.triggerSave();
        const data = new FormData(form);
        data.append(name, "1");
        unanswered.hidden = true;
        try {
            const response = await fetch(box.dataset.url, { method: "POST", body: data, redirect: "error" });
            if (!response.ok) throw new Error(response.status);
            return await response.json();
        } catch {
            unanswered.hidden = false;
        }
    }

    const write = (editor, html) => {
        if (!editor) field.value = html;
        else editor.undoManager.transact(() => editor.setContent(html));
    };

    /** Insert where the cursor is; at the top where it is in a quote or signature, or the text is still empty. */
    function put(html) {
        const editor = window.tinymce?.get(field.id);
        const text = editor ? editor.getContent() : field.value;
        const inside = editor?.selection.getNode()?.closest(NOT_OURS);
        if (!editor || inside || EMPTY.test(text) || !text.trim()) write(editor, `${html}\n${text.replace(EMPTY, "")}`);
        else editor.insertContent(html);
        editor?.setDirty(true);
        editor?.focus();
    }

    function done(answer) {
        show(answer.problems);
        form.dispatchEvent(new Event("change", { bubbles: true }));
    }

    select.addEventListener("change", (event) => event.stopPropagation());
    insert.type = fill.type = "button";
    insert.addEventListener("click", async () => {
        if (!select.value) return select.focus();
        const answer = await ask("mailbridge.insert");
        if (!answer) return;
        put(answer.body);
        if (answer.subject && !subject.value.trim()) subject.value = answer.subject;
        done(answer);
    });
    fill.addEventListener("click", async () => {
        const answer = await ask("mailbridge.fill");
        if (!answer) return;
        write(window.tinymce?.get(field.id), answer.body);
        window.tinymce?.get(field.id)?.setDirty(true);
        subject.value = answer.subject;
        done(answer);
    });
})();
