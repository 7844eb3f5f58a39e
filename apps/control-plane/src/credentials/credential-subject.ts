import type { Subject } from '../changes/author.js';

/** A credential in the words an auditor would search for: by its server. */
export const credentialSubject = ({ id, server }: { readonly id: string; readonly server: { readonly slug: string } }): Subject => ({
  kind: 'credential',
  id,
  slug: server.slug,
});
