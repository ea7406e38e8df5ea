// The widget in each of its states, on a school's page under a strict policy: axe finds nothing, and what was typed is kept.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { Program, browser, faults, school, setUp, shot } from './support.mjs';

const program = new Program();
const MONEY = 'Can I get my money back?';
let chromium, address;

before(async () => {
  program.run('demo', '--offline', '--no-serve');
  address = await program.serve();
  chromium = await browser();
  const context = await chromium.newContext();
  await setUp(await context.newPage(), program.link);
  await context.close();
});

after(async () => {
  await chromium?.close();
  await program.end();
});

const line = (attributes = '', from = address) => `<script async src="${from}/embed.js" data-creator-id="demo" ${attributes}></script>`;

// A student on a school's page, with the panel open.
async function visit(body, options = {}, from = address) {
  const elsewhere = await school(from, body, options);
  const context = await chromium.newContext({ reducedMotion: 'reduce', ...options.context });
  const student = await context.newPage();
  await student.goto(elsewhere.url);
  const chat = student.locator('neverafk-chat');
  await chat.locator('.launch').click();
  const ask = async (text) => {
    await chat.locator('textarea').fill(text);
    await student.keyboard.press('Enter');
  };
  return { context, student, chat, ask, end: () => Promise.all([context.close(), elsewhere.end()]) };
}

// A server that says half of an answer and then nothing more.
async function halting() {
  const script = await (await fetch(`${address}/embed.js`)).text();
  const headers = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'content-type' };
  const server = createServer((asked, reply) => {
    if (asked.method === 'OPTIONS') reply.writeHead(204, headers).end();
    else if (asked.url === '/embed.js') reply.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    else if (asked.url.startsWith('/chat/look')) reply.writeHead(200, { ...headers, 'content-type': 'application/json' }).end('{}');
    else {
      reply.writeHead(200, { ...headers, 'content-type': 'text/event-stream' });
      const quote = { id: 1, title: 'Refunds', quote: 'You have thirty days.', url: '/d/1', anchor: { page: 2 } };
      reply.write(`data: ${JSON.stringify({ type: 'sources', citations: [quote] })}\n\n`);
      reply.write(`data: ${JSON.stringify({ type: 'token', content: 'You have thirty' })}\n\n`);
    }
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const end = () => new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, end };
}

test('half of an answer is shown with its evidence, and can be stopped', async () => {
  const stand = await halting();
  const { student, chat, ask, end } = await visit(line('', stand.url), {}, stand.url);
  await ask(MONEY);
  await chat.locator('.text', { hasText: 'You have thirty' }).waitFor();
  await chat.locator('.ev', { hasText: 'You have thirty days.' }).waitFor();
  await shot(student, 'state-streaming');
  assert.deepEqual(await faults(student), []);
  await chat.locator('.go').click();
  await chat.locator('.tip').waitFor();
  assert.match(await chat.locator('.log').textContent(), /You have thirty/);
  await end();
  await stand.end();
});

test('while nothing has come yet, the student sees that it is being looked up', async () => {
  const { student, chat, ask, end } = await visit(line());
  await student.route('**/chat/stream', () => {});
  await ask(MONEY);
  await chat.locator('.dots i').first().waitFor();
  await shot(student, 'state-waiting');
  assert.deepEqual(await faults(student), []);
  await end();
});

test('a server that fails says so, and the question is asked again by a button', async () => {
  const { student, chat, ask, end } = await visit(line());
  const failing = (route) => route.fulfill({
    status: 500, contentType: 'application/json', headers: { 'access-control-allow-origin': '*' },
    body: JSON.stringify({ error: { message: 'Something broke here.', hint: 'try again', code: 'internal' } }),
  });
  await student.route('**/chat/stream', failing);
  await ask(MONEY);
  const trouble = chat.locator('.tip.bad', { hasText: 'Something broke here.' });
  await trouble.waitFor();
  await shot(student, 'state-error');
  assert.deepEqual(await faults(student), []);
  await student.unroute('**/chat/stream', failing);
  await trouble.locator('.pill').click();
  await chat.locator('.src').first().waitFor({ timeout: 30_000 });
  assert.equal(await chat.locator('.you', { hasText: MONEY }).count(), 1);
  await end();
});

test('without a network nothing typed is lost, and what was asked goes out when it is back', async () => {
  const { context, student, chat, ask, end } = await visit(line());
  await context.setOffline(true);
  await ask(MONEY);
  await chat.locator('.tip.bad').waitFor();
  await chat.locator('textarea').fill('And how long');
  await shot(student, 'state-offline');
  assert.deepEqual(await faults(student), []);
  await context.setOffline(false);
  await chat.locator('.src').first().waitFor({ timeout: 30_000 });
  assert.equal(await chat.locator('textarea').inputValue(), 'And how long');
  await student.reload();
  await chat.locator('.src').first().waitFor();
  assert.equal(await chat.locator('textarea').inputValue(), 'And how long', 'a page that is loaded again has it still');
  await end();
});

test('the form for a person can be filled in', async () => {
  const { student, chat, ask, end } = await visit(line());
  await ask('Who painted the ceiling of the Sistine Chapel?');
  await chat.locator('.tip .pill', { hasText: 'Talk to a person' }).click();
  await chat.locator('.tip input[type=email]').waitFor();
  await shot(student, 'state-contact');
  assert.deepEqual(await faults(student), []);
  await chat.locator('.tip input[type=email]').fill('tom@x.example');
  await chat.locator('.tip form button').click();
  await chat.locator('.tip form').waitFor({ state: 'detached' });
  assert.deepEqual(await faults(student), []);
  await end();
});

test('from right to left', async () => {
  const { student, chat, ask, end } = await visit(line(), { tongue: 'lang="ar" dir="rtl"' });
  const panel = chat.locator('.panel');
  assert.equal(await panel.evaluate((node) => getComputedStyle(node).direction), 'rtl');
  await ask(MONEY);
  await chat.locator('.src').first().waitFor({ timeout: 30_000 });
  await shot(student, 'state-rtl');
  assert.deepEqual(await faults(student), []);
  await end();
});

// What a page's own rules must not reach. What happens to the whole page, as `html { opacity }`, happens to all on it.
const HOSTILE = `
  *:not(html) { color: red !important; font: 40px/3 cursive !important; direction: rtl !important; letter-spacing: 9px !important;
      text-transform: uppercase !important; box-sizing: content-box !important; margin: 33px !important; float: left !important;
      opacity: .2 !important; filter: blur(4px) !important; pointer-events: none !important; visibility: hidden !important; }
  button, textarea, svg, form, div, section { display: none !important; }
  neverafk-chat { position: static !important; width: 1px !important; height: 1px !important; overflow: hidden !important; }
  html { overflow: hidden; font-size: 40px; }
  body { display: none; }`;

test('rules of a page that would spoil everything reach nothing of the widget', async () => {
  const plain = await visit(line());
  const hostile = await visit(line(), { css: HOSTILE });
  const seen = async ({ chat }) => chat.locator('.panel').evaluate((panel) => {
    const wanted = ['color', 'fontSize', 'fontFamily', 'direction', 'letterSpacing', 'textTransform', 'opacity', 'filter', 'visibility', 'pointerEvents', 'display'];
    const of = (node) => wanted.map((name) => getComputedStyle(node)[name]);
    const box = panel.getBoundingClientRect(), host = panel.getRootNode().host;
    const over = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === host;
    const { opacity, filter, visibility, pointerEvents, display } = getComputedStyle(host);
    return [opacity, filter, visibility, pointerEvents, display, of(panel), of(panel.querySelector('textarea')), of(panel.querySelector('button')), over, Math.round(box.width), Math.round(box.height)];
  });
  assert.deepEqual(await seen(hostile), await seen(plain));
  await hostile.ask(MONEY);
  await hostile.chat.locator('.src').first().waitFor({ timeout: 30_000 });
  await shot(hostile.student, 'state-hostile');
  await Promise.all([plain.end(), hostile.end()]);
});

test('the line that pages have from the previous product works as it stands', async () => {
  const former = line(`data-position="bottom-left" data-color="#7c3aed" data-welcome="Hello there" data-api-url="${address}"`);
  const { student, chat, ask, end } = await visit(former);
  await chat.locator('.text', { hasText: 'Hello there' }).waitFor();
  const looks = await chat.locator('.launch').evaluate((node) => [getComputedStyle(node).backgroundColor, node.getBoundingClientRect().left < innerWidth / 2]);
  assert.deepEqual(looks, ['rgb(124, 58, 237)', true]);
  await ask(MONEY);
  await chat.locator('.src').first().waitFor({ timeout: 30_000 });
  assert.deepEqual(await faults(student), []);
  const reply = await fetch(`${address}/chat`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ message: MONEY, creator_id: 'demo', conversation_id: null }),
  });
  const said = await reply.json();
  for (const [key, kind] of [['response', 'string'], ['conversation_id', 'string'], ['should_escalate', 'boolean'], ['sources', 'object']]) {
    assert.equal(typeof said[key], kind, key);
  }
  assert.equal(typeof said.sources[0], 'string');
  await end();
});
