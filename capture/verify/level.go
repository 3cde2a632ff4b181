package verify

// Level is how much a list is held to.
type Level uint8

const (
	Names  Level = iota // names that it doesn't have are refused
	Strict              // and so are packets that go elsewhere than to its names' addresses, and its own
	Learn               // nothing is refused: what would be is noted
)
