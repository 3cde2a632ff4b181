package ui

import "time"

// messageLife is how long a message stands in the footer.
const messageLife = 6 * time.Second

// message is one sentence for the user.
type message struct {
	text string
	at   time.Time
}

// messages are all that was said; the last one is shown for a while.
type messages []message

// say shows a sentence in the footer.
func (m *model) say(text string) {
	m.messages = append(m.messages, message{text, time.Now()})
}

// current returns the message that is shown, "" for none.
func (s messages) current(now time.Time) string {
	if n := len(s); n > 0 && now.Sub(s[n-1].at) < messageLife {
		return s[n-1].text
	}
	return ""
}
