/** Tables and rows of the demo's database. Run again it changes nothing that is there. */
export const demoTables = `
  CREATE TABLE IF NOT EXISTS customers (
    id integer PRIMARY KEY,
    name text NOT NULL,
    country text NOT NULL,
    since date NOT NULL
  );
  CREATE TABLE IF NOT EXISTS orders (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    item text NOT NULL,
    amount numeric(10, 2) NOT NULL,
    ordered_at timestamptz NOT NULL
  );
  INSERT INTO customers VALUES
    (1, 'Blue Harbour Coffee', 'NL', '2023-02-14'),
    (2, 'Nordlys Bikes', 'NO', '2023-09-01'),
    (3, 'Casa Verde Gardens', 'ES', '2024-05-20'),
    (4, 'Kumo Stationery', 'JP', '2025-01-08')
  ON CONFLICT DO NOTHING;
  INSERT INTO orders VALUES
    (1, 1, 'Espresso machine', 2150.00, '2026-01-12 09:30:00+00'),
    (2, 1, 'Grinder', 480.50, '2026-01-12 09:30:00+00'),
    (3, 2, 'Cargo bike', 3999.00, '2026-02-03 14:05:00+00'),
    (4, 3, 'Olive tree', 120.00, '2026-02-17 08:45:00+00'),
    (5, 3, 'Clay pots', 64.90, '2026-03-02 16:20:00+00'),
    (6, 4, 'Fountain pens', 310.00, '2026-03-09 02:10:00+00'),
    (7, 2, 'Winter tyres', 189.00, '2026-03-15 11:00:00+00')
  ON CONFLICT DO NOTHING;
`;
