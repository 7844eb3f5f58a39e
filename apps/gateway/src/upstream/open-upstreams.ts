import { setTimeout as pause } from 'node:timers/promises';
import type { Logger, OnClose } from '@portcullis/boot';
import { createEgress, RUNNER_NETWORKS } from '@portcullis/egress';
import type { CallMetrics } from '../process/call-metrics.js';
import { openCredentials, type ControlLink } from './credentials/open-credentials.js';
import { Upstreams } from './upstreams.js';

const POOLS_CLOSE_MS_MAX = 1000;

/** This node's ways to servers: only where it may go, and with what each is called with. */
export function openUpstreams(
  allow: readonly string[],
  parts: { readonly control: ControlLink; readonly metrics: CallMetrics; readonly logger: Logger; readonly onClose: OnClose },
): Upstreams {
  const { control, metrics, logger, onClose } = parts;
  const egress = createEgress({ allow });
  const toRunners = createEgress({ allow: RUNNER_NETWORKS });
  const upstreams = new Upstreams(
    (origin, options, place) => (place === undefined ? egress : toRunners).poolFor(origin, options),
    ({ slug }) => {
      metrics.suspended();
      logger.warn({ server: slug }, 'A server cannot be reached and is not asked for a while');
    },
    undefined,
    openCredentials(control, (url, init) => egress.fetch(url, init)),
  );
  onClose('upstreams', () => Promise.race([upstreams.close(), pause(POOLS_CLOSE_MS_MAX)]));
  return upstreams;
}
