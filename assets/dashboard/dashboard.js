// Files go up with progress, texts are copied, times are the reader's own, a preview shows what is typed. Every page
// works without this, except that files cannot be dropped.
(() => {
  for (const time of document.querySelectorAll('time[datetime]')) {
    const date = new Date(time.dateTime);
    if (!isNaN(date)) time.textContent = date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  }

  for (const button of document.querySelectorAll('button[data-copy]')) {
    const label = button.textContent;
    button.type = 'button';
    button.setAttribute('aria-live', 'polite');
    button.hidden = !navigator.clipboard;
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
        button.textContent = 'Copied';
      } catch {
        button.textContent = 'Select and copy it by hand';
      }
      setTimeout(() => { button.textContent = label; }, 2500);
    });
  }

  // The widget reads its attributes when it is made, so a preview is made anew.
  const looks = document.getElementById('looks');
  let wait;
  const preview = () => {
    const old = document.getElementById('preview');
    const fresh = old.cloneNode(false);
    for (const field of looks.querySelectorAll('[data-sets]')) {
      const value = field.value.trim().split('\n').join(field.dataset.sets === 'suggestions' ? '|' : '\n');
      fresh.dataset[field.dataset.sets] = value; // empty: what the widget has of its own, whatever is saved
    }
    // What has no attribute. A value that is not of its kind changes nothing here, and is refused when it is saved.
    const css = {};
    for (const line of looks.querySelector('[data-sets-css]').value.split('\n')) {
      const [, name, value] = /^\s*-*([a-z]+)\s*:\s*(.*?)[\s;]*$/.exec(line) || [];
      if (name && /^(#[0-9a-f]{6}|\d+px|[\p{L}\p{N} ,-]+)$/iu.test(value)) css[name] = value;
    }
    fresh.draft = { css };
    for (const box of looks.querySelectorAll('[data-sets-switch]')) fresh.draft[box.dataset.setsSwitch] = box.checked;
    old.replaceWith(fresh);
  };
  if (looks) {
    looks.addEventListener('input', () => {
      clearTimeout(wait);
      wait = setTimeout(preview, 300);
    });
  }

  // To change a word of what the program says, begin with all of it.
  for (const button of document.querySelectorAll('button[data-fill]')) {
    const field = document.getElementById(button.dataset.fill);
    const show = () => { button.hidden = field.value.trim() !== ''; };
    field.addEventListener('input', show);
    button.addEventListener('click', () => {
      field.value = field.placeholder;
      show();
      field.focus();
    });
    show();
  }

  // A picture goes up as its bytes.
  const face = document.getElementById('face');
  if (face) {
    const told = document.getElementById('face-told');
    face.addEventListener('change', async () => {
      const file = face.files[0];
      if (!file) return;
      const reply = await fetch(face.dataset.to, { method: 'POST', body: file, headers: { 'x-csrf-token': face.dataset.csrf, accept: 'application/json' } }).catch(() => null);
      if (reply && reply.ok) {
        location.assign('?done=true');
        return;
      }
      const { error = {} } = reply ? await reply.json().catch(() => ({})) : {};
      told.textContent = [error.message, error.hint].filter(Boolean).join('; ') || 'The picture did not arrive. Choose it again.';
      face.value = '';
    });
  }

  // How far models are that are being pulled, until none is.
  const shelf = document.getElementById('models');
  const follow = async () => {
    const reply = await fetch(shelf.dataset.pulls, { headers: { accept: 'application/json' } }).catch(() => null);
    if (reply && reply.ok) {
      for (const { name, pull } of await reply.json()) {
        const row = shelf.querySelector(`[data-model="${CSS.escape(name)}"]`);
        if (!row || !pull || !row.dataset.underWay) continue;
        if (pull.state === 'done' || pull.state === 'failed') {
          location.reload();
          return;
        }
        const bar = row.querySelector('progress');
        if (pull.total) {
          bar.max = pull.total;
          bar.value = pull.done;
        }
        row.querySelector('.state').textContent = `${pull.state} ${pull.file}`;
      }
    }
    setTimeout(follow, 1000);
  };
  if (shelf && shelf.querySelector('[data-under-way]')) follow();

  const form = document.getElementById('upload');
  if (!form) return;
  const chooser = form.querySelector('input[type=file]');
  const list = document.getElementById('uploads');
  const waiting = [];
  let running = false;
  let added = 0;

  const send = (file, row) => new Promise((done) => {
    const state = row.querySelector('.state');
    const bar = row.querySelector('progress');
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append('file', file, file.name);
    const failed = (text) => { row.classList.add('failed'); bar.remove(); state.textContent = text; done(); };
    request.upload.addEventListener('progress', (event) => {
      if (!event.lengthComputable) return;
      bar.value = event.loaded / event.total;
      state.textContent = event.loaded < event.total ? `${Math.round(100 * bar.value)} %` : 'reading …';
      if (event.loaded >= event.total) bar.removeAttribute('value');
    });
    request.addEventListener('error', () => failed('The connection broke. Choose the file again.'));
    request.addEventListener('load', () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* a proxy's page: said below */ }
      if (request.status !== 200) {
        const error = answer.error || {};
        failed([error.message, error.hint].filter(Boolean).join('; ') || `It was refused (${request.status}).`);
        return;
      }
      bar.remove();
      added += 1;
      state.textContent = answer.passages === 1 ? '1 passage' : `${answer.passages} passages`;
      for (const text of answer.warnings || []) {
        const line = document.createElement('p');
        line.className = 'warning';
        line.textContent = text;
        row.append(line);
      }
      done();
    });
    request.open('POST', form.action);
    request.setRequestHeader('x-csrf-token', form.dataset.csrf);
    request.setRequestHeader('accept', 'application/json');
    request.send(body);
  });

  const work = async () => {
    if (running) return;
    running = true;
    while (waiting.length) await send(...waiting.shift());
    running = false;
    if (added && !list.querySelector('.again')) {
      const line = document.createElement('li');
      line.className = 'again';
      const link = document.createElement('a');
      link.href = location.pathname;
      link.textContent = 'Show them in the list';
      line.append(link);
      list.append(line);
    }
  };

  const take = (files) => {
    for (const file of files) {
      const row = document.createElement('li');
      const name = document.createElement('span');
      const state = document.createElement('span');
      const bar = document.createElement('progress');
      name.textContent = file.name;
      state.className = 'state';
      state.textContent = 'waits';
      bar.value = 0;
      bar.setAttribute('aria-label', file.name);
      row.append(name, state, bar);
      list.insertBefore(row, list.querySelector('.again'));
      waiting.push([file, row]);
    }
    work();
  };

  chooser.addEventListener('change', () => { take([...chooser.files]); chooser.value = ''; });
  form.addEventListener('submit', (event) => event.preventDefault());
  for (const name of ['dragenter', 'dragover']) {
    form.addEventListener(name, (event) => { event.preventDefault(); form.classList.add('over'); });
  }
  for (const name of ['dragleave', 'drop']) {
    form.addEventListener(name, (event) => { event.preventDefault(); form.classList.remove('over'); });
  }
  form.addEventListener('drop', (event) => take([...event.dataTransfer.files]));
  addEventListener('beforeunload', (event) => { if (running) event.preventDefault(); });
})();
