import { checkMatrix } from '../architecture/check-matrix.js';

// What can go wrong on the way of a call into the trail (to F19), on that of policy from the control plane over Redis to the nodes (to F32), and with traffic, servers and overload.
checkMatrix(
  'test/faults/matrix.json',
  Array.from({ length: 48 }, (_, at) => `F${String(at + 1)}`),
);
