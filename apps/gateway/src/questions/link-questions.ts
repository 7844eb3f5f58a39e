import type { OnClose } from '@portcullis/boot';
import type { Sealer } from '@portcullis/secrets';
import type { Gateway } from '../gateway.js';
import type { NodeLinks } from '../internal/node-links.js';
import type { SessionStore } from '../session/session-store.js';
import { OpenQuestions } from './open-questions.js';
import { ParkedCalls } from './parked-calls.js';
import { RequestStates } from './request-states.js';
import { serveParkedCalls } from './resume-parked.js';
import { serveAnswers } from './take-response.js';

/** What a node needs to carry questions of servers to agents, open to the other nodes. */
export function linkQuestions(parts: {
  readonly nodes: NodeLinks;
  readonly sealer: () => Sealer;
  readonly store: SessionStore;
  readonly now: () => number;
  readonly onClose: OnClose;
}): Pick<Gateway, 'questions' | 'parkedCalls' | 'requestStates'> {
  const { nodes, sealer, store, now, onClose } = parts;
  const questions = new OpenQuestions({ sealer, nodeUrl: nodes.url });
  serveAnswers(nodes, questions);
  const parkedCalls = new ParkedCalls();
  serveParkedCalls(nodes, parkedCalls);
  onClose('parked calls', () => parkedCalls.giveUp());
  return { questions, parkedCalls, requestStates: new RequestStates({ sealer, store, now }) };
}
