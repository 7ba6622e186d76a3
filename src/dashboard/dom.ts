/** Returns the element of the page with this id. @throws Error when it is none of the class */
export function find<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${type.name} with the id ${id}`);
}

/** Returns an element with attributes and contents; text is never read as HTML. */
export function make(
  tag: string,
  attributes: Readonly<Record<string, string>> = {},
  ...contents: readonly (string | Node)[]
): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...contents);
  return element;
}
