/** Texts of the page's scripts, in the page's language: the server has put the translations into the page. */

const page = globalThis.document;
const found = page?.getElementById("script-texts")?.textContent;
const translations = found ? JSON.parse(found) : {};
export const language = page?.documentElement.lang || "en";

/**
 * `text` is the English one, without pieces that depend on anything: `%(name)s` in it are filled with `facts`.
 * Write it as one string in double quotes: catalogs are made from what stands in the parentheses.
 */
export function t(text, facts = {}) {
    return (translations[text] ?? text).replace(/%\((\w+)\)s/g, (_, name) => facts[name] ?? "");
}

export const number = (value, digits = 0) =>
    value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
