// The demo service of `npm start`: a small web page that says which replica answered.
import { createServer } from 'node:http';

const { PORT = '8081', REPLICA = '?', NODE = '?' } = process.env;
const startedAt = new Date();

const server = createServer((request, response) => {
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(`Hello from replica ${REPLICA} on node ${NODE}, running since ${startedAt.toISOString()}.\n`);
  console.log(`${request.method} ${request.url}`);
});
server.listen(Number(PORT), '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${PORT}/`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
