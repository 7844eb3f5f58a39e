import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkUrl } from './check-url.js';
import { createVetAddress } from './vet-address.js';

const publicOnly = createVetAddress([]);

test.each([
  ['metadata address', 'http://169.254.169.254/latest/meta-data'],
  ['decimal form', 'http://2852039166/'],
  ['hexadecimal form', 'http://0xa9fea9fe/'],
  ['octal form', 'http://0251.0376.0251.0376/'],
  ['mixed form', 'http://0x7f.1/'],
  ['short form', 'http://127.1/'],
  ['zero', 'http://0/'],
  ['this network', 'http://0.1.2.3/'],
  ['loopback', 'https://127.8.8.8:8443/'],
  ['trailing stop', 'http://127.0.0.1./'],
  ['circled digits', 'http://①②⑦.⓪.⓪.①/'],
  ['full-width stop', 'http://127。0。0。1/'],
  ['percent-encoded digits', 'http://%31%32%37.0.0.1/'],
  ['private 10', 'http://10.0.0.1/'],
  ['private 172.16', 'http://172.31.255.255/'],
  ['private 192.168', 'http://192.168.1.1/'],
  ['carrier-grade NAT', 'http://100.64.0.1/'],
  ['cloud metadata in carrier-grade NAT', 'http://100.100.100.200/'],
  ['cloud agent on a public address', 'http://168.63.129.16/'],
  ['multicast', 'http://224.0.0.1/'],
  ['broadcast', 'http://255.255.255.255/'],
  ['reserved', 'http://240.0.0.1/'],
  ['documentation', 'http://203.0.113.7/'],
  ['benchmarking', 'http://198.18.0.1/'],
  ['unspecified IPv6', 'http://[::]/'],
  ['loopback IPv6', 'http://[::1]/'],
  ['IPv4-mapped metadata', 'http://[::ffff:a9fe:a9fe]/'],
  ['IPv4-mapped dotted', 'http://[::ffff:127.0.0.1]/'],
  ['IPv4-compatible', 'http://[::127.0.0.1]/'],
  ['IPv4-translated', 'http://[::ffff:0:7f00:1]/'],
  ['NAT64', 'http://[64:ff9b::a9fe:a9fe]/'],
  ['local NAT64', 'http://[64:ff9b:1::7f00:1]/'],
  ['6to4', 'http://[2002:7f00:1::]/'],
  ['Teredo', 'http://[2001:0:7f00:1::]/'],
  ['link-local IPv6', 'http://[fe80::1]/'],
  ['site-local IPv6', 'http://[fec0::1]/'],
  ['unique local IPv6', 'http://[fd00:ec2::254]/'],
  ['multicast IPv6', 'http://[ff02::1]/'],
  ['documentation IPv6', 'http://[2001:db8::1]/'],
  ['never assigned IPv6', 'http://[4000::1]/'],
  ['localhost', 'http://localhost:3000/'],
  ['localhost with a stop', 'http://LOCALHOST./'],
  ['below localhost', 'http://a.localhost/'],
])('%s is refused as an address', (_, url) => {
  expect(checkUrl(url, publicOnly)).toEqual({ ok: false, reason: 'egress.address' });
});

test.each([
  ['egress.scheme', 'file:///etc/passwd'],
  ['egress.scheme', 'gopher://example.com/'],
  ['egress.scheme', 'ftp://example.com/'],
  ['egress.scheme', 'ws://example.com/'],
  ['egress.scheme', 'data:text/plain,x'],
  ['egress.scheme', 'javascript:alert(1)'],
  ['egress.userinfo', 'https://user@example.com/'],
  ['egress.userinfo', 'https://user:pass@example.com/'],
  ['egress.userinfo', 'https://example.com@127.0.0.1/'],
  ['egress.malformed', 'http://example.com\\@127.0.0.1/'],
  ['egress.malformed', 'http://exa\tmple.com/'],
  ['egress.malformed', 'http://example.com/\r\nHost: x'],
  ['egress.malformed', ' http://example.com/'],
  ['egress.malformed', 'example.com'],
  ['egress.malformed', 'http://'],
  ['egress.malformed', 'http://./'],
  ['egress.malformed', 'http://[::1'],
  ['egress.malformed', 'http://256.256.256.256/'],
  ['egress.malformed', 'http://example.com:99999/'],
  ['egress.malformed', `http://example.com/${'a'.repeat(3000)}`],
  ['egress.malformed', ''],
  ['egress.port', 'http://example.com:22/'],
  ['egress.port', 'http://example.com:25/'],
  ['egress.port', 'http://example.com:0/'],
  ['egress.port', 'http://example.com:6379/'],
  ['egress.port', 'https://example.com:5432/'],
])('%s for %s', (reason, url) => {
  expect(checkUrl(url, publicOnly)).toEqual({ ok: false, reason });
});

test.each([
  ['https://mcp.example.com/mcp', 'https://mcp.example.com/mcp'],
  ['HTTP://Example.COM:80/a', 'http://example.com/a'],
  ['http://1.1.1.1:8080/', 'http://1.1.1.1:8080/'],
  ['https://[2606:4700::1111]/', 'https://[2606:4700::1111]/'],
  ['http://[::ffff:101:101]/', 'http://[::ffff:101:101]/'],
  ['https://example.com/${HOME}/{{secret}}', 'https://example.com/$%7BHOME%7D/%7B%7Bsecret%7D%7D'],
])('%s passes as it is written', (url, href) => {
  const verdict = checkUrl(url, publicOnly);
  expect(verdict.ok && verdict.url.href).toBe(href);
});

test('a private range opens by its own configuration, and only that range', () => {
  const vet = createVetAddress(['10.1.0.0/16', '127.0.0.1', 'fd00::/8']);
  for (const url of ['http://10.1.2.3/', 'http://[::ffff:10.1.2.3]/', 'http://127.1/', 'http://localhost/', 'http://[fd12::1]/']) {
    expect(checkUrl(url, vet).ok).toBe(true);
  }
  for (const url of ['http://10.2.0.1/', 'http://127.0.0.2/', 'http://[::1]/', 'http://[64:ff9b::a01:203]/', 'http://10.1.2.3:22/']) {
    expect(checkUrl(url, vet).ok).toBe(false);
  }
});

test('an unreadable range stops the process instead of meaning nothing', () => {
  for (const range of ['', '10.0.0.0/33', 'localhost', '10.0.0/8', '::ffff:10.0.0.0/104', '*']) {
    expect(() => createVetAddress([range])).toThrow(TypeError);
  }
});

test('every spelling of a private IPv4 address is refused', () => {
  const octet = fc.nat(255);
  const privateAddress = fc.oneof(
    fc.tuple(fc.constantFrom(0, 10, 127), octet, octet, octet),
    fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
    fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
    fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
  );
  fc.assert(
    fc.property(privateAddress, ([a, b, c, d]) => {
      const whole = ((a * 256 + b) * 256 + c) * 256 + d;
      const [high, low] = [(whole >>> 16).toString(16), (whole & 0xffff).toString(16)];
      const octal = [a, b, c, d].map((part) => `0${part.toString(8)}`).join('.');
      const hosts = [`${a}.${b}.${c}.${d}`, `${whole}`, `0x${whole.toString(16)}`, octal, `${a}.${b}.${c * 256 + d}`];
      hosts.push(`[::ffff:${high}:${low}]`, `[::${high}:${low}]`, `[64:ff9b::${high}:${low}]`, `[2002:${high}:${low}::]`);
      for (const host of hosts) expect(checkUrl(`http://${host}/`, publicOnly)).toEqual({ ok: false, reason: 'egress.address' });
    }),
  );
});

/** Not globally reachable, by IANA's registries of special-purpose addresses. */
const SPECIAL = (
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.168.0.0/16 198.18.0.0/15 ' +
  '198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 0:0:0:0:0:0:0:0/8 64:ff9b:0:0:0:0:0:0/96 64:ff9b:1:0:0:0:0:0/48 100:0:0:0:0:0:0:0/64 ' +
  '2001:0:0:0:0:0:0:0/23 2001:db8:0:0:0:0:0:0/32 2002:0:0:0:0:0:0:0/16 3fff:0:0:0:0:0:0:0/20 4000:0:0:0:0:0:0:0/2 8000:0:0:0:0:0:0:0/1'
).split(' ');

test('no address that is kept for special purposes is let through, wherever in its range it lies', () => {
  const inRange = fc.constantFrom(...SPECIAL).chain((range) => {
    const [base = '', bits = ''] = range.split('/');
    const [radix, width] = base.includes(':') ? [16, 16] : [10, 8];
    const parts = base.split(/[.:]/);
    const first = parts.reduce((sum, part) => (sum << BigInt(width)) + BigInt(Number.parseInt(part, radix)), 0n);
    const free = BigInt(parts.length * width - Number(bits));
    return fc.bigInt({ min: 0n, max: 2n ** free - 1n }).map((offset) => {
      const at = (place: number): bigint => ((first + offset) >> BigInt(place * width)) & (2n ** BigInt(width) - 1n);
      const written = parts.map((_, index) => at(parts.length - 1 - index).toString(radix));
      return radix === 16 ? `[${written.join(':')}]` : written.join('.');
    });
  });
  fc.assert(
    fc.property(inRange, (host) => {
      expect(checkUrl(`http://${host}/`, publicOnly)).toEqual({ ok: false, reason: 'egress.address' });
    }),
    { numRuns: 500 },
  );
});
