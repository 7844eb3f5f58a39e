/** Why a way out is closed. Each has one fixed sentence, so a refusal never tells what the network behind us looks like. */
export type EgressReason =
  'egress.malformed' | 'egress.scheme' | 'egress.userinfo' | 'egress.port' | 'egress.address' | 'egress.unresolved' | 'egress.redirect';

const sentences: Record<EgressReason, string> = {
  'egress.malformed': 'The address is not an absolute URL',
  'egress.scheme': 'The address must begin with http:// or https://',
  'egress.userinfo': 'The address must not contain a user name or password',
  'egress.port': 'The port of the address belongs to another protocol',
  'egress.address': 'The address is not on the public network, and not in a range this process may reach',
  'egress.unresolved': 'The host name of the address has no network address',
  'egress.redirect': 'The server answered with a redirect, which is not followed',
};

/** A connection, request or answer that this process refuses. `code` is stable; the message may be shown to whoever typed the address. */
export class EgressRefused extends Error {
  readonly code: EgressReason;

  constructor(code: EgressReason) {
    super(sentences[code]);
    this.name = 'EgressRefused';
    this.code = code;
  }
}
