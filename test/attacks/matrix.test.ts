import { checkMatrix } from '../architecture/check-matrix.js';

const attacks = Array.from({ length: 150 }, (_, at) => `A${String(at + 1)}`);
checkMatrix('test/attacks/matrix.json', [...attacks, 'F40', 'raw bytes', 'task keys']);
