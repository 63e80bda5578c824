/** Elements told as values, and the page brought in line with them: what stays keeps its focus and its place. */

type Prop = string | number | boolean | undefined | ((event: never) => void);
export interface Tree { tag: string; props: Record<string, Prop>; kids: (Tree | string)[] }
export type Kid = Tree | string | false | null | undefined;

const SVG = 'http://www.w3.org/2000/svg';
const shown = new WeakMap<Node, Tree>();

/** An element. A function is a handler (`onclick`), false and undefined are no attribute, `key` tells siblings apart. */
export function h(tag: string, props: Record<string, Prop> = {}, ...kids: (Kid | Kid[])[]): Tree {
  return { tag, props, kids: kids.flat().filter((kid): kid is Tree | string => Boolean(kid)) };
}

/** The children of an element made what `kids` says. Texts are set as texts, never as markup. */
export function patch(parent: Element, kids: (Tree | string)[]): void {
  const old = new Map(Array.from(parent.childNodes, (node, at) => [keyOf(shown.get(node) ?? '', at), node]));
  const nodes = kids.map((kid, at) => {
    const node = old.get(keyOf(kid, at)) ?? made(kid, parent);
    old.delete(keyOf(kid, at));
    if (typeof kid !== 'string') update(node as Element, kid);
    else if (node.nodeValue !== kid) node.nodeValue = kid;
    return node;
  });
  old.forEach((node) => node.remove()); // before anything moves, since what moves loses the focus
  nodes.forEach((node, at) => parent.childNodes[at] === node || parent.insertBefore(node, parent.childNodes[at] ?? null));
}

function keyOf(kid: Tree | string, at: number): string {
  return typeof kid === 'string' ? `#${at}` : `${kid.tag} ${String(kid.props.key ?? at)}`;
}

function made(kid: Tree | string, parent: Element): ChildNode {
  if (typeof kid === 'string') return document.createTextNode(kid);
  return kid.tag === 'svg' || parent.namespaceURI === SVG ? document.createElementNS(SVG, kid.tag) : document.createElement(kid.tag);
}

function update(element: Element, kid: Tree): void {
  const before = shown.get(element);
  if (before === kid) return;
  shown.set(element, kid);
  for (const name of new Set([...Object.keys(before?.props ?? {}), ...Object.keys(kid.props)])) {
    const value = kid.props[name];
    if (name === 'key' || value === before?.props[name]) continue;
    if (name.startsWith('on') || name === 'checked') Object.assign(element, { [name]: value ?? null });
    else if (value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  patch(element, kid.kids);
}
