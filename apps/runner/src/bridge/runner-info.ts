/** Who a runner says it is, to children that it speaks to in its own name. */
export const RUNNER_INFO = { name: 'portcullis-runner', version: '0.1.0' };
