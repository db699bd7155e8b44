// The forms of SMTP accounts and mailboxes: a field is shown only while what it belongs to is chosen; "Fill in" stands beside the provider.
(() => {
    const one = (...names) => names.map((name) => document.querySelector(`[name^="form.widgets.${name}"]`)).find(Boolean);
    const auth = one("smtp_auth", "auth");
    if (!auth) return;

    const row = (field) => field?.closest(".field");
    const named = (names) => names.map((name) => row(one(`smtp_${name}`, name))).filter(Boolean);
    const forTokens = named(["oauth_token_url", "oauth_client_id", "client_secret", "oauth_scope", "refresh_token", "forget_refresh_token"]);
    const forPasswords = named(["password"]);

    // "Advanced options" without a field that is shown are none
    function fold() {
        for (const folded of document.querySelectorAll(".mailbridge-advanced"))
            folded.hidden = [...folded.querySelectorAll(".field")].every((field) => field.hidden);
    }

    function show() {
        const tokens = auth.value === "oauth2";
        for (const field of forTokens) field.hidden = !tokens && !field.querySelector(".is-invalid, .invalid-feedback");
        for (const field of forPasswords) field.hidden = tokens;
        fold();
    }

    auth.addEventListener("change", show);
    show();

    const role = one("role");
    const forLogin = ["new_mail", "service", "copy_to_agent"].map((name) => row(one(name))).filter(Boolean);
    const forMailIn = [row(one("recipient_header"))].filter(Boolean);

    function showRole() {
        for (const field of forLogin) field.hidden = role.value !== "login";
        for (const field of forMailIn) field.hidden = role.value === "login";
        fold();
    }

    if (role) {
        role.addEventListener("change", showRole);
        showRole();
    }

    const preset = one("preset");
    const fill = document.querySelector("[name='form.buttons.preset']");
    if (preset && fill) {
        const beside = document.createElement("button");
        beside.type = "button"; // Enter in a field must press Save, the first button that submits
        beside.className = "btn btn-secondary mt-2";
        beside.textContent = fill.value || fill.textContent;
        beside.addEventListener("click", () => fill.click());
        preset.after(beside);
        fill.hidden = true;
    }
})();
