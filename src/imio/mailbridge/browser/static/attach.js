// Attaches dropped or chosen files one after the other and shows how far it is; without it they are posted with the form.
(() => {
    const box = document.getElementById("mailbridge-attach");
    const form = document.getElementById("mailbridge-compose");
    if (!box || !form) return;
    const place = document.getElementById("formfield-form-widgets-attachments");
    if (place) place.after(box);
    const input = box.querySelector("[type=file]");
    const list = box.querySelector("[data-added]");
    const problems = box.querySelector("[role=alert]");
    const limits = JSON.parse(box.dataset.limits);
    const [waiting, attached, unanswered, tooLarge, notYet] = box.querySelector("template").content.children;
    const sender = () => form.querySelector("[name^='form.widgets.sender']")?.value || "";
    const limit = () => limits[sender()] || { bytes: 0, says: "" };
    const changed = () => form.dispatchEvent(new Event("change", { bubbles: true }));
    let last = Promise.resolve();
    let number = 0;

    function complain(text) {
        const item = document.createElement("li");
        item.textContent = text;
        problems.firstElementChild.append(item);
        problems.hidden = false;
    }

    function tick(answer) {
        const item = attached.cloneNode(true);
        const [check, label] = item.children;
        check.name = "form.widgets.attachments:list";
        check.value = answer.uid;
        check.id = label.htmlFor = `mailbridge-attached-${++number}`;
        label.textContent = answer.title;
        return item;
    }

    function send(file, item) {
        return new Promise((done) => {
            if (!item.isConnected) return done();
            const data = new FormData();
            data.append("file", file);
            data.append("sender", sender());
            data.append("place", form.querySelector("[name='mailbridge.place']:checked")?.value || "message");
            data.append("_authenticator", form.elements._authenticator.value);
            const request = new XMLHttpRequest();
            const progress = item.querySelector("progress");
            item.querySelector("button").addEventListener("click", () => request.abort());
            request.upload.onprogress = (event) => (progress.value = event.loaded / (event.total || 1));
            request.upload.onload = () => progress.removeAttribute("value");
            request.onloadend = () => {
                let answer = {};
                try { answer = JSON.parse(request.responseText); } catch { /* the log-in page, or nothing */ }
                if (request.status === 200 && answer.uid) {
                    item.replaceWith(tick(answer));
                    changed();
                } else {
                    const stopped = !item.isConnected;
                    item.remove();
                    if (!stopped) complain(answer.message || `${file.name} ${unanswered.textContent}`);
                }
                done();
            };
            request.open("POST", box.dataset.url);
            request.send(data);
        });
    }

    function take(files) {
        problems.firstElementChild.replaceChildren();
        problems.hidden = true;
        for (const file of files) {
            if (limit().bytes && file.size > limit().bytes) {
                complain(`${file.name} ${tooLarge.textContent} ${limit().says}`);
                continue;
            }
            const item = list.appendChild(waiting.cloneNode(true));
            item.querySelector("span").textContent = file.name;
            item.querySelector("button").addEventListener("click", () => item.remove());
            last = last.then(() => send(file, item));
        }
    }

    input.removeAttribute("name"); // each file goes alone, none with the form
    box.querySelector("button[name='mailbridge.attach']").hidden = true;
    input.addEventListener("change", (event) => {
        event.stopPropagation();
        take([...input.files]);
        input.value = "";
    });
    form.addEventListener("change", (event) => {
        if (event.target.name?.startsWith("form.widgets.sender")) box.querySelector("[data-limit]").textContent = limit().says;
    });
    // What is still on its way would not be sent along.
    form.addEventListener("submit", (event) => {
        if (!list.querySelector("progress") || !/\.(send|send_anyway)$/.test(event.submitter?.name || "")) return;
        event.preventDefault();
        event.stopImmediatePropagation();
        problems.firstElementChild.replaceChildren();
        complain(notYet.textContent);
        list.scrollIntoView({ block: "center" });
    }, true);
    window.addEventListener("beforeunload", (event) => list.querySelector("progress") && event.preventDefault());

    const hasFiles = (event) => !event.defaultPrevented && event.dataTransfer?.types.includes("Files");
    const mark = (on) => box.firstElementChild.classList.toggle("border-primary", on);
    document.addEventListener("dragover", (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        mark(true);
    });
    document.addEventListener("dragleave", (event) => event.relatedTarget || mark(false));
    document.addEventListener("drop", (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        mark(false);
        take([...event.dataTransfer.files]);
    });
})();
