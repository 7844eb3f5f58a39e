import { ControlPlaneLink } from '@portcullis/boot';
import {
  EnrolRunnerResponse,
  RUNNER_ENROL_PATH,
  RUNNER_HEARTBEAT_PATH,
  RunnerHeartbeatResponse,
  type EnrolRunner,
  type RunnerHeartbeat,
} from '@portcullis/contracts/runner/heartbeat';

/** What a runner asks the control plane. Every request ends within 5 s; each may fail, and the runner goes on without. */
export class ControlPlaneClient {
  private readonly link: ControlPlaneLink;

  constructor(baseUrl: string) {
    this.link = new ControlPlaneLink(baseUrl);
  }

  enrol(joinToken: string, request: EnrolRunner): Promise<EnrolRunnerResponse> {
    return this.link.json(EnrolRunnerResponse, RUNNER_ENROL_PATH, { bearer: joinToken, body: request });
  }

  heartbeat(runnerKey: string, heartbeat: RunnerHeartbeat): Promise<RunnerHeartbeatResponse> {
    return this.link.json(RunnerHeartbeatResponse, RUNNER_HEARTBEAT_PATH, { bearer: runnerKey, body: heartbeat });
  }
}
