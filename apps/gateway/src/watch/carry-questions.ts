import type { Gateway } from '../gateway.js';
import { linkQuestions, type QuestionParts } from '../questions/link-questions.js';
import { QuestionStreams } from './question-streams.js';

type Questions = Pick<Gateway, 'questions' | 'sessionAskers' | 'parkedCalls' | 'requestStates' | 'questionStreams'>;

/** What a node needs to carry to agents what servers ask them, in the answers of calls and outside of these. */
export function carryQuestions(parts: QuestionParts): Questions {
  const linked = linkQuestions(parts);
  const questionStreams = new QuestionStreams({ ...parts, sessionAskers: linked.sessionAskers });
  parts.onClose('question streams', () => questionStreams.close());
  return { ...linked, questionStreams };
}
