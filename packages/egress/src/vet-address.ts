import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Whether an IP address, as text, may be connected to. */
export type VetAddress = (address: string) => boolean;

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

// The only IPv6 space handed out for the public network. Refusing the rest also refuses every form that hides an IPv4 address:
// ipaddr.js calls the IPv4-compatible ::127.0.0.1 plain unicast.
const globalUnicast = ipaddr.parseCIDR('2000::/3');
// A public address that answers only inside its cloud, with secrets of the machine.
const cloudInternals: Range[] = [ipaddr.parseCIDR('168.63.129.16/32')];

/** A vetter that lets through the public network and the given CIDR ranges, nothing else. Throws a TypeError naming a range it cannot read. */
export function createVetAddress(allow: readonly string[]): VetAddress {
  const allowed = allow.map(parseRange);
  return (text) => {
    if (!ipaddr.isValid(text)) return false;
    const address = ipaddr.process(text);
    return isPublic(address) || inAny(address, allowed);
  };
}

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv6' ? inAny(address, [globalUnicast]) : !inAny(address, cloudInternals);
}

function inAny(address: ipaddr.IPv4 | ipaddr.IPv6, ranges: readonly Range[]): boolean {
  return ranges.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits));
}

function parseRange(text: string): Range {
  const cidr = text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`;
  // ipaddr.js also reads short and octal forms, which people and tools read differently.
  if (isIP(cidr.split('/')[0] ?? '') === 0 || cidr.includes('%') || !ipaddr.isValidCIDR(cidr)) throw new TypeError(`Not a CIDR range: ${text}`);
  const [base, bits] = ipaddr.parseCIDR(cidr);
  // Addresses are compared in their shortest family, so such a range would look right and match nothing.
  if (base.kind() === 'ipv6' && base.range() === 'ipv4Mapped') throw new TypeError(`Write this range as IPv4: ${text}`);
  return [base, bits];
}
