// A click on a field of the list inserts it where the cursor is: in the subject or in the text. Without it the field is typed.
(() => {
    const form = document.getElementById("mailbridge-template-form");
    if (!form) return;
    const subject = form.elements["form.widgets.subject"];
    const body = form.elements["form.widgets.body"];
    let last = body;
    subject.addEventListener("focus", () => (last = subject));
    // The editor is a page of its own: what was left for the list is the subject, or else the text.
    const list = document.getElementById("mailbridge-fields");
    list.addEventListener("focusin", ({ relatedTarget }) => {
        if (!list.contains(relatedTarget) && relatedTarget !== subject) last = body;
    });
    for (const code of form.querySelectorAll("code[data-field]")) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "btn btn-sm btn-outline-secondary font-monospace py-0";
        button.textContent = code.dataset.field;
        button.addEventListener("click", () => {
            const editor = window.tinymce?.get(body.id);
            if (last === subject) subject.setRangeText(code.dataset.field, subject.selectionStart, subject.selectionEnd, "end");
            else if (editor) editor.insertContent(code.dataset.field);
            else body.setRangeText(code.dataset.field, body.selectionStart, body.selectionEnd, "end");
            if (last === subject) subject.focus();
            else (editor || body).focus();
        });
        code.replaceWith(button);
    }
})();
