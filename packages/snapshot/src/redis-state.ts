import type { Redis } from 'ioredis';

/** Whether a command may be tried now; without a connection it would only wait in the client's queue. */
export const answersSoon = ({ status }: Redis): boolean => status === 'ready' || status === 'connect' || status === 'connecting' || status === 'wait';
