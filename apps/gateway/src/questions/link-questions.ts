import type { OnClose } from '@portcullis/boot';
import type { Sealer } from '@portcullis/secrets';
import type { Gateway } from '../gateway.js';
import type { NodeLinks } from '../nodes/node-links.js';
import type { IndexedSessionStore } from '../session/session-store.js';
import type { ChangeStreams } from '../streams/change-streams.js';
import { OpenQuestions } from './open-questions.js';
import { ParkedCalls } from './parked-calls.js';
import { RequestStates } from './request-states.js';
import { serveParkedCalls } from './resume-parked.js';
import { SessionAskers } from './session-askers.js';
import { serveAnswers } from './take-response.js';

export interface QuestionParts {
  readonly nodes: NodeLinks;
  readonly sealer: () => Sealer;
  readonly store: IndexedSessionStore;
  readonly streams: ChangeStreams;
  readonly now: () => number;
  readonly onClose: OnClose;
}

/** What a node needs to carry questions of servers to agents, open to the other nodes. */
export function linkQuestions(parts: QuestionParts): Pick<Gateway, 'questions' | 'sessionAskers' | 'parkedCalls' | 'requestStates'> {
  const { nodes, sealer, store, streams, now, onClose } = parts;
  const questions = new OpenQuestions({ sealer, nodeUrl: nodes.url });
  serveAnswers(nodes, questions);
  const streamOf = (sessionName: string, agentId: string): ReturnType<ChangeStreams['sessions']['streamOf']> =>
    streams.sessions.streamOf(sessionName, agentId);
  const sessionAskers = new SessionAskers({ nodes, sealer, store, questions, streamOf });
  const parkedCalls = new ParkedCalls();
  serveParkedCalls(nodes, parkedCalls);
  onClose('parked calls', () => parkedCalls.giveUp());
  return { questions, sessionAskers, parkedCalls, requestStates: new RequestStates({ sealer, store, now }) };
}
