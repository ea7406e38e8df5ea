// What happens while a page of the dashboard is open: new conversations in the inbox, the badge that counts them, and one
// conversation as it goes on. Without this script the pages show the same after they are loaded anew.
(() => {
  const frame = document.querySelector('[data-creator]');
  const badge = document.getElementById('waiting');
  if (!frame || !badge) return; // who may not answer students hears nothing
  const creator = frame.dataset.creator;
  const chat = document.getElementById('chat');
  const say = document.getElementById('say');
  const typing = document.getElementById('typing');
  const list = document.getElementById('tickets');
  const title = document.title;
  let socket, tries = 0, quiet;

  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text) node.textContent = text;
    return node;
  };
  const clock = (at) => {
    const time = make('time', '', new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }));
    time.dateTime = at;
    return time;
  };
  const inbox = `/dashboard/${creator}/inbox`;

  // How many wait, and who, is asked of the server: it knows, whatever this page has missed.
  let due;
  const renew = () => {
    clearTimeout(due);
    due = setTimeout(async () => {
      const reply = await fetch(list ? location.href : inbox).catch(() => null);
      if (!reply || !reply.ok) return;
      const fresh = new DOMParser().parseFromString(await reply.text(), 'text/html');
      const now = fresh.getElementById('waiting');
      if (!now) return;
      const number = now.querySelector('.n').textContent;
      badge.querySelector('.n').textContent = number;
      badge.hidden = number === '0';
      document.title = number === '0' ? title : `(${number}) ${title}`;
      if (!list) return;
      for (const time of fresh.querySelectorAll('#tickets time')) time.replaceWith(clock(time.dateTime));
      list.replaceChildren(...fresh.getElementById('tickets').children);
      document.querySelector('.tabs').replaceWith(fresh.querySelector('.tabs'));
      const nothing = document.getElementById('nothing');
      if (nothing) nothing.hidden = list.children.length > 0;
    }, 300);
  };

  // Says something to whoever uses a screen reader, beside what is seen.
  const voice = make('p', 'unseen');
  voice.setAttribute('role', 'status');
  document.body.append(voice);

  const line = (kind, name, text, at, id) => {
    if (id && [...chat.children].some((item) => item.dataset.id === id)) return;
    const item = make('li', kind);
    const who = make('p', 'who', `${name} `);
    if (id) item.dataset.id = id;
    who.append(clock(at));
    item.append(who, make('p', 'said', text));
    chat.append(item);
    item.scrollIntoView({ block: 'nearest' });
    voice.textContent = `${name}: ${text}`;
  };
  const message = (said) => line(said.from, said.from === 'person' ? said.by || 'Somebody of the team' : 'Student', said.text, said.created_at, said.message_id);

  const happened = (event) => {
    const data = event.data;
    const here = chat && data.conversation_id === chat.dataset.conversation;
    if (event.type === 'conversation.escalated') {
      voice.textContent = 'A conversation waits for a person.';
      renew();
    } else if (/^conversation\.(assigned|taken_over|resolved|contact_left)$/.test(event.type)) renew();
    if (!here) return;
    if (event.type === 'message.created') {
      typing.textContent = '';
      message(data);
    } else if (event.type === 'conversation.typing' && data.from === 'student') {
      typing.textContent = 'The student is writing …';
      clearTimeout(quiet);
      quiet = setTimeout(() => { typing.textContent = ''; }, 4000);
    } else if (event.type === 'answer.created') {
      line('student', 'Student', data.question, data.created_at);
      line('assistant', 'Assistant', data.response, data.created_at);
    } else if (event.type === 'conversation.taken_over') document.getElementById('live').hidden = false;
    else if (event.type === 'conversation.handed_back' || event.type === 'conversation.resolved') document.getElementById('live').hidden = true;
  };

  const dial = () => {
    socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws`);
    socket.onopen = () => socket.send(JSON.stringify({ type: 'enter', creator_id: creator, csrf: frame.dataset.csrf }));
    socket.onmessage = ({ data }) => {
      const said = JSON.parse(data);
      if (said.type === 'ready') {
        if (tries) renew(); // what happened meanwhile was not heard
        tries = 0;
        document.documentElement.dataset.live = 'true';
      } else if (said.type === 'event') happened(said.event);
      else if (said.type === 'sent') message(said.message);
      else if (said.type === 'error' && typing) typing.textContent = `${said.error.message}; ${said.error.hint}`;
    };
    socket.onclose = ({ code }) => {
      delete document.documentElement.dataset.live;
      if (code === 1008) return; // signed out, or refused: the next page says so
      tries += 1;
      setTimeout(dial, Math.min(30000, 1000 * 2 ** tries) * (0.5 + Math.random()));
    };
  };
  dial();

  if (!say) return;
  const text = document.getElementById('text');
  const open = () => socket.readyState === WebSocket.OPEN && document.documentElement.dataset.live;
  let told = 0;
  text.addEventListener('input', () => {
    if (!open() || Date.now() - told < 2000) return;
    told = Date.now();
    socket.send(JSON.stringify({ type: 'typing', conversation_id: chat.dataset.conversation }));
  });
  say.addEventListener('submit', (event) => {
    if (!open()) return; // the form goes out by itself
    event.preventDefault();
    const words = text.value.trim();
    if (!words) return;
    socket.send(JSON.stringify({ type: 'message', conversation_id: chat.dataset.conversation, text: words }));
    text.value = '';
    text.focus();
  });
  text.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) say.requestSubmit();
  });
  for (const button of document.querySelectorAll('[data-fill]')) {
    button.textContent = 'Use';
    button.setAttribute('aria-label', button.getAttribute('aria-label').replace('Send', 'Use'));
    button.addEventListener('click', (event) => {
      event.preventDefault();
      const words = button.form.elements.text.value;
      text.value = text.value ? `${text.value}\n${words}` : words;
      text.focus();
    });
  }
})();
