/**
 * A page of the server that follows the editor's theme instead of the system's. Its own policy lets its one style sheet and
 * its one script in by their hashes; here a nonce does, since the style sheet is not quite the same any more. Pure.
 */
export function themed(page: string, dark: boolean, nonce: string): string {
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
  const script = page.lastIndexOf('<script>'); // the page's own: whatever a file brought along is escaped
  return (script < 0 ? page : `${page.slice(0, script)}<script nonce="${nonce}">${page.slice(script + '<script>'.length)}`)
    .replace(/(<meta http-equiv="Content-Security-Policy" content=")[^"]*/, `$1${policy}`)
    .replace('<style>', `<style nonce="${nonce}">`)
    .replace('color-scheme: light dark', `color-scheme: ${dark ? 'dark' : 'light'}`)
    .replace('@media screen and (prefers-color-scheme: dark)', dark ? '@media screen' : '@media not all');
}
