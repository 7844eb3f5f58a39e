import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from './problem.js';

/**
 * An entity tag has the version of its resource, where that has one, and a digest of the answer. `If-Match` compares versions alone, so that what
 * the system notes down by itself fails nobody's change; `If-None-Match` compares the whole, so that 304 says that the answer would be the same.
 */
const tagOf = (version: string | undefined, digest: string): string => `"${[version, digest].filter((part) => part !== undefined).join('.')}"`;

/** The tag of a version whose answer is not known. It does for `If-Match`. */
export const versionTag = (version: string): string => `"${version}"`;

const TAGS_MAX = 20;
const entityTag = /^(W\/)?"([\x21\x23-\x7e]*)"$/;

/** The versions that `If-Match` names; refuses (400) what is no list of tags. A weak tag names none (RFC 9110, section 13.1.1). */
export function versionsIn(header: string): ReadonlySet<string> | 'any' {
  if (header.trim() === '*') return 'any';
  const tags = header.split(',').map((part) => entityTag.exec(part.trim()));
  if (tags.length > TAGS_MAX || tags.includes(null))
    throw new ProblemError('validation', undefined, [{ pointer: '/If-Match', detail: 'takes ETags as answers have them, or *' }]);
  return new Set(tags.flatMap((tag) => (tag === null || tag[1] !== undefined ? [] : (tag[2]?.split('.', 1) ?? []))));
}

/** Weak and strong tags alike (RFC 9110, section 13.1.2); what is no tag is none that anybody has. */
const isKnown = (header: string, tag: string): boolean =>
  header.trim() === '*' || header.split(',').some((part) => part.trim().replace(/^W\//, '') === tag);

const versions = new WeakMap<object, string>();

/** Says which version of its resource a request is answered with. */
export function answersVersion(request: FastifyRequest, version: string): void {
  versions.set(request.raw, version);
}

/** Gives every answer that is read whole an `ETag`, and answers 304 to whoever has it already. Nodes have digests of their own. */
export function tagAnswers(fastify: FastifyInstance): void {
  fastify.addHook('onSend', async (request, reply, payload) => {
    const version = versions.get(request.raw);
    const isRead = request.method === 'GET' && request.url.startsWith('/v1/') && !request.url.startsWith('/v1/node/');
    if (reply.statusCode < 200 || reply.statusCode > 202 || typeof payload !== 'string' || (!isRead && version === undefined)) return payload;
    const tag = tagOf(version, createHash('sha256').update(payload).digest('base64url').slice(0, 22));
    reply.header('etag', tag);
    const known = request.headers['if-none-match'];
    if (!isRead || known === undefined || !isKnown(known, tag)) return payload;
    reply.code(304).removeHeader('content-type').removeHeader('content-length');
    return null;
  });
}
