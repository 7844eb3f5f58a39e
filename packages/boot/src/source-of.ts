const SITE_GROUPS = 4;

/** The party behind a peer address, as far as one can tell: an IPv4 address, or the /64 that one IPv6 site has to itself. */
export function sourceOf(address: string | undefined): string {
  if (address === undefined) return '';
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  if (!plain.includes(':')) return plain;
  const [before = ''] = plain.split('::', 1);
  return [...before.split(':'), '0', '0', '0', '0'].slice(0, SITE_GROUPS).join(':');
}
