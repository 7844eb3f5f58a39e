const slugCharsMax = 32;
// Parts of a host name that say nothing about which server it is.
const fillers = new Set(['www', 'mcp', 'api', 'app', 'com', 'org', 'net', 'io', 'dev', 'ai', 'co', 'cloud']);

/** A slug for a server from its address: `https://mcp.linear.app/mcp` → `linear`, `http://127.0.0.1:3001/mcp` → `local-3001`. */
export function slugFromUrl(address: string): string {
  const { hostname, port, protocol } = new URL(address);
  const isLocal = hostname === 'localhost' || /^[\d.]+$/.test(hostname) || hostname.startsWith('[');
  if (isLocal) return asSlug(`local-${port || (protocol === 'https:' ? '443' : '80')}`);
  const labels = hostname.split('.').filter((label) => label !== '');
  const telling = labels.slice(0, Math.max(1, labels.length - 1)).filter((label) => !fillers.has(label));
  return asSlug(telling.at(-1) ?? labels[0] ?? '');
}

function asSlug(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, slugCharsMax)
    .replace(/^-+|-+$/g, '');
  return plain === '' || plain === 'portcullis' ? 'server' : plain;
}
