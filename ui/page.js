// Ties each marker of an answer to its sentence in the source panel. Everything is delegated from the document,
// because Gradio draws messages and panel again after each answer.
(() => {
    "use strict";

    document.documentElement.lang = "fr";

    // Gradio 6.31 labels each message with its own HTML source, which a screen reader would read aloud before the text,
    // and gives no name to the button beside the question.
    new MutationObserver(() => {
        document.querySelectorAll("#messages [data-testid][aria-label]").forEach((e) => e.removeAttribute("aria-label"));
        document.querySelector("#question .submit-button")?.setAttribute("aria-label", "Poser la question");
    }).observe(document.documentElement, { childList: true, subtree: true });

    const calm = matchMedia("(prefers-reduced-motion: reduce)");

    function sheet(open) {
        document.getElementById("proof")?.classList.toggle("open", open);
    }

    function light(element, group) {
        document.querySelectorAll(`${group}.lit`).forEach((other) => other.classList.remove("lit"));
        element.classList.add("lit");
    }

    function showSection(section) {
        document.querySelectorAll("section.sources").forEach((other) => {
            other.classList.toggle("current", other === section);
            other.classList.toggle("past", other !== section);
        });
        sheet(true);
    }

    function openSource(marker, target) {
        showSection(target.closest("section.sources"));
        light(marker, "a.marker");
        light(target, "article.source");
        target.focus({ preventScroll: true });
        const sentence = target.querySelector("mark");
        sentence.scrollIntoView({ block: "center", behavior: calm.matches ? "auto" : "smooth" });
    }

    // An answer is read from its question down, its sources from the first one; then the next question can be typed.
    // On a touch screen the keyboard would cover what has just been answered.
    function readyForNext() {
        const messages = document.querySelector("#messages [role=log]");
        const question = [...document.querySelectorAll("#messages .question")].at(-1);
        if (question) messages.scrollTop += question.getBoundingClientRect().top - messages.getBoundingClientRect().top;
        document.querySelector(".proof-panel").scrollTo(0, 0);
        if (matchMedia("(hover: hover)").matches) {
            document.querySelector("#question textarea").focus({ preventScroll: true });
        }
    }

    async function copy(button) {
        await navigator.clipboard.writeText(button.dataset.copy);
        const label = button.textContent;
        button.textContent = "Copié";
        setTimeout(() => (button.textContent = label), 1500);
    }

    document.addEventListener(
        "click",
        (event) => {
            const link = event.target.closest("a.marker, a.show");
            if (link) {
                event.preventDefault();
                event.stopPropagation();
                const target = document.getElementById(link.hash.slice(1));
                if (target?.matches("article.source")) openSource(link, target);
                else if (target?.matches("section.sources")) {
                    showSection(target);
                    target.focus();
                }
                return;
            }
            if (event.target.closest("button.close")) sheet(false);
            const button = event.target.closest("button.copy");
            if (button) copy(button);
        },
        true,
    );

    document.addEventListener("keydown", (event) => {
        if (event.key === "Escape") sheet(false);
    });

    window.sourcier = { readyForNext };
})();
