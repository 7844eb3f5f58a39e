import type { FastifyInstance } from 'fastify';
import { clientMetadata } from './choose-client.js';
import { CALLBACK_PATH, CLIENT_METADATA_PATH, redirectUrisAt } from './oauth-outlet.js';

const page = `<!doctype html><meta charset="utf-8"><title>Portcullis</title>
<p>Almost done. Copy the whole address of this page, and give it to <code>portcullis credential finish &lt;id&gt; &lt;address&gt;</code> where you began.</p>
`;

/**
 * What authorization servers and browsers read at a control plane that has a public address: who we are, and a page to come back to. Neither knows or
 * changes anything: a connection is made by the operator who began it, with their own token.
 */
export function serveOauthPages(fastify: FastifyInstance, publicUrl: string | undefined): void {
  if (publicUrl === undefined) return;
  const metadata = { client_id: new URL(CLIENT_METADATA_PATH, publicUrl).href, ...clientMetadata(redirectUrisAt(publicUrl)) };
  fastify.get(CLIENT_METADATA_PATH, (_request, reply) => reply.type('application/json').send(JSON.stringify(metadata)));
  fastify.get(CALLBACK_PATH, (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'")
      .header('referrer-policy', 'no-referrer')
      .send(page),
  );
}
