const DECODINGS_MAX = 4;

/**
 * The path of a request target in the form in which rules are written: decoded as often as it was
 * encoded, without `.`, `..`, backslashes or doubled slashes, in lower case. It errs to the side of
 * finding what is protected: what no router would take for `/api` may come out as `/api`.
 */
export function normalisedPath(target: string): string {
  let path = target.replace(/[?#].*$/s, '').replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '');
  for (let turn = 0; turn < DECODINGS_MAX; turn += 1) {
    const decoded = decode(path);
    if (decoded === path) break;
    path = decoded;
  }
  const segments: string[] = [];
  for (const segment of path.toLowerCase().split(/[/\\]+/)) {
    const name = segment.replace(/;.*$/s, '').trim();
    if (name === '..') segments.pop();
    else if (name !== '' && name !== '.') segments.push(name);
  }
  return `/${segments.join('/')}`;
}

/** Whether the path is the folder or something in it. */
export function isUnder(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function decode(path: string): string {
  // Piece by piece, so that one malformed escape does not hide the others.
  return path.replace(/%[0-9a-f]{2}/gi, (escape) =>
    String.fromCharCode(parseInt(escape.slice(1), 16)),
  );
}
