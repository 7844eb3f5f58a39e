import { checkMatrix } from '../architecture/check-matrix.js';

// What can go wrong on the way of policy, from the control plane over Redis to the nodes, and (from F33) with traffic, servers and overload.
checkMatrix(
  'test/faults/matrix.json',
  Array.from({ length: 29 }, (_, at) => `F${String(at + 20)}`),
);
