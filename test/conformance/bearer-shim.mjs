import { setHeader, startRelay } from './start-relay.mjs';

/** The suite cannot send a token, and the product has no switch to do without one: this puts an agent's key on every request. */
export function startBearerShim(target, agentKey) {
  const editRequest = (message) => {
    setHeader(message, 'authorization', `Bearer ${agentKey}`);
  };
  return startRelay({ target, editRequest });
}
