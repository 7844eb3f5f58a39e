import type { FastifyInstance } from 'fastify';

/**
 * What turns text around, hides in it, or ends a line where nobody sees it: controls of direction (UAX #9), of width zero and of C1, separators of lines
 * and paragraphs, tags. In JSON none of them stands outside of strings.
 */
const UNSEEN = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\udb40[\udc00-\udc7f]/g;

const asEscape = (text: string): string =>
  text
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

/** The text with such characters written as escapes: JSON says the same then, and whoever looks at it sees what is there. */
export const visibleText = (text: string): string => text.replace(UNSEEN, asEscape);

/** Answers in JSON hide nothing from whoever reads them as they come. Before answers are tagged, so that tags are of what was sent. */
export function showHidden(fastify: FastifyInstance): void {
  fastify.addHook('onSend', async (_request, reply, payload) => {
    const isJson = /^application\/(?:[a-z]+\+)?json\b/.test(String(reply.getHeader('content-type')));
    return isJson && typeof payload === 'string' ? visibleText(payload) : payload;
  });
}
