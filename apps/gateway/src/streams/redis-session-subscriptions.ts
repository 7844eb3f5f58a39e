import type { Redis } from 'ioredis';
import { hearChannels } from '../process/hear-channels.js';
import type { Session } from '../session/agent-sessions.js';
import type { SessionSubscriptions } from './session-subscriptions.js';

const CHANGED = 'portcullis:session-subscriptions';
const STREAM = 'portcullis:session-streams';

/** Adds unless the set is full; an expired session leaves nothing. */
const ADD = `
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 and redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1`;

/** Numbers the streams of a session, in one order for all nodes. */
const ANNOUNCE = `
local number = redis.call('INCR', KEYS[1])
redis.call('PEXPIREAT', KEYS[1], ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[3] .. ' ' .. number)
return number`;

/** Subscriptions of legacy sessions in Redis, where any node finds them; they expire with their session. */
export class RedisSessionSubscriptions implements SessionSubscriptions {
  onChanged: SessionSubscriptions['onChanged'] = () => undefined;
  onStream: SessionSubscriptions['onStream'] = () => undefined;

  constructor(
    private readonly commands: Redis,
    subscriber: Redis,
  ) {
    hearChannels(subscriber, [CHANGED, STREAM], (message, channel) => {
      if (channel === CHANGED) return this.onChanged(message);
      const [sessionName = '', number = ''] = message.split(' ');
      this.onStream(sessionName, Number(number));
    });
  }

  async add({ name, expiresAt }: Session, uri: string, countMax: number): Promise<boolean> {
    return (await this.commands.eval(ADD, 1, keyOf(name), uri, String(countMax), String(expiresAt), CHANGED, name)) === 1;
  }

  async remove({ name }: Session, uri: string): Promise<void> {
    await this.commands.multi().srem(keyOf(name), uri).publish(CHANGED, name).exec();
  }

  of({ name }: Session): Promise<readonly string[]> {
    return this.commands.smembers(keyOf(name));
  }

  async announceStream({ name, expiresAt }: Session): Promise<number> {
    return Number(await this.commands.eval(ANNOUNCE, 1, `portcullis:session-stream:${name}`, String(expiresAt), STREAM, name));
  }
}

const keyOf = (sessionName: string): string => `portcullis:subscriptions:${sessionName}`;
