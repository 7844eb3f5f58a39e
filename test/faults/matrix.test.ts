import { checkMatrix } from '../architecture/check-matrix.js';

// What can go wrong on the way of policy: from the control plane over Redis to the nodes.
checkMatrix(
  'test/faults/matrix.json',
  Array.from({ length: 13 }, (_, at) => `F${String(at + 20)}`),
);
