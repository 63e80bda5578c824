/** A page of the server made fit for a tab of the editor. Pure. */

/**
 * The page follows the editor's theme instead of the system's. Its own policy lets its one style sheet and its one script
 * in by their hash; here both get a nonce, since the style sheet is not the same any more.
 */
export function themed(page: string, dark: boolean, nonce: string): string {
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
  const end = page.lastIndexOf('<script>');
  const head = end < 0 ? page : `${page.slice(0, end)}<script nonce="${nonce}">${page.slice(end + '<script>'.length)}`;
  return head
    .replace(/(<meta http-equiv="Content-Security-Policy" content=")[^"]*/, `$1${policy}`)
    .replace('<style>', `<style nonce="${nonce}">`)
    .replace('color-scheme: light dark', `color-scheme: ${dark ? 'dark' : 'light'}`)
    .replace('@media screen and (prefers-color-scheme: dark)', dark ? '@media screen' : '@media not all');
}
