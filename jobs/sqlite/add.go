package sqlite

import (
	"fmt"
	"math"
	"strings"

	codes "modernc.org/sqlite/lib"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// spacing is the gap that items get which are listed after all others: so much room that documents inserted between
// others find a place without moving those.
const spacing = 1 << 24

// adding is one Add at work. It can begin anew.
type adding struct {
	l     *listing
	tx    *tx // nil where nothing is to be written
	batch []listed
	last  int64   // pos of the ref before
	next  int64   // pos of the first item after last, for refs at the end of the batch; 0: not known, or overtaken
	nums  []int64 // items added so far
	own   map[int64]bool
	tally jobs.Tally
	mixed bool // what looks new is not all new: no more inserting of many at once
}

func (a *adding) begin(l *listing, batch []listed, tx *tx) {
	*a = adding{l: l, tx: tx, batch: batch, last: l.last, own: map[int64]bool{}}
}

func (a *adding) run() error {
	for i := 0; i < len(a.batch); i++ {
		r := &a.batch[i]
		if a.allNew(i) {
			inserted, err := a.insertAll(i)
			if err != nil {
				return err
			}
			if inserted {
				i += newRows - 1
				continue
			}
		}
		if r.same != nil && r.same.pos > a.last {
			if err := a.count(r, r.same.num, r.same.state); err != nil {
				return err
			}
			a.last = r.same.pos
			continue
		}
		if err := a.place(i); err != nil {
			return err
		}
	}
	return nil
}

// count notes that a ref is the item num, and refuses one that came before.
func (a *adding) count(r *listed, num int64, state pipeline.State) error {
	if a.own[num] || a.l.seen.has(num) {
		return fmt.Errorf("add %q of %s: listed twice", r.ID, r.Source)
	}
	if a.tx != nil {
		a.own[num] = true
	}
	a.nums = append(a.nums, num)
	switch {
	case r.fault != "":
		a.tally.Failed++
	case state.Final():
		a.tally.Rested++
	default:
		a.tally.Pending++
	}
	return nil
}

// place writes the ref i of the batch, which is new, or changed, or not where it was.
func (a *adding) place(i int) error {
	r := &a.batch[i]
	if !r.near {
		inserted, err := a.insert(i)
		if inserted || err != nil {
			return err
		}
	}
	k, gone, err := a.lookUp(r)
	if err != nil {
		return err
	}
	pos, err := a.posFor(i, k.pos)
	if err != nil {
		return err
	}
	changed := r.differs(k, a.l.question)
	if changed {
		k.state = r.startState()
	}
	if err := a.count(r, k.num, k.state); err != nil {
		return err
	}
	a.last = pos
	if !changed && !gone && pos == k.pos && r.equals(k, a.l.question) {
		return nil
	}
	return a.update(r, k, pos, changed)
}

// startState is the state of a new or changed item.
func (r *listed) startState() pipeline.State {
	if r.fault != "" {
		return pipeline.Failed
	}
	return pipeline.Pending
}

// newRows is how many new documents go into one statement: a statement for each took half as much CPU again.
const newRows = 25

var (
	insertItems = `INSERT INTO items (source, id, name, row, pos, stamp, question, header, state)
		VALUES ` + strings.Repeat(`(?, ?, ?, ?, ?, ?, ?, nullif(?, 0), 'pending'), `, newRows-1) + `(?, ?, ?, ?, ?, ?, ?, nullif(?, 0), 'pending')`
	insertDocuments = `INSERT INTO documents (item, fields) VALUES ` + strings.Repeat(`(?, ?), `, newRows-1) + `(?, ?)`
)

// allNew reports whether the next newRows refs look new, and are alike: all rows, or all files.
func (a *adding) allNew(i int) bool {
	if a.mixed || i+newRows > len(a.batch) {
		return false
	}
	for j := i; j < i+newRows; j++ {
		r := &a.batch[j]
		if r.near || r.fault != "" || (r.header == 0) != (a.batch[i].header == 0) {
			return false
		}
	}
	return true
}

// insertAll adds the next newRows refs as items, unless there is one of an ID among them: then it adds none.
func (a *adding) insertAll(i int) (inserted bool, err error) {
	last, batch := a.last, a.batch[i:i+newRows]
	args := make([]any, 0, 8*newRows)
	for j := range batch {
		r := &batch[j]
		if a.last, err = a.posFor(i+j, 0); err != nil {
			return false, err
		}
		args = append(args, r.source, r.ID, r.Name, r.Row, a.last, r.Stamp, a.l.question, r.header)
	}
	res, err := a.tx.exec(insertItems, args...)
	if codeOf(err) == codes.SQLITE_CONSTRAINT {
		a.last, a.mixed = last, true // the statement left nothing
		return false, nil
	}
	if err != nil {
		return false, err
	}
	num, err := res.LastInsertId() // numbers follow each other
	if err != nil {
		return false, err
	}
	args = args[:0]
	for j := range batch {
		n := num - newRows + 1 + int64(j)
		if err := a.count(&batch[j], n, pipeline.Pending); err != nil {
			return false, err
		}
		args = append(args, n, batch[j].fields)
	}
	if batch[0].header != 0 {
		_, err = a.tx.exec(insertDocuments, args...)
	}
	return true, err
}

// insert adds an item, unless there is one of that ID: trying is cheaper than asking, because a first listing finds none.
func (a *adding) insert(i int) (inserted bool, err error) {
	r := &a.batch[i]
	pos, err := a.posFor(i, 0)
	if err != nil {
		return false, err
	}
	var record any
	if r.fault != "" {
		record = 1
	}
	res, err := a.tx.exec(`INSERT INTO items (source, id, name, row, pos, stamp, question, header, state, record, fault)
		VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?, ?, nullif(?, '')) ON CONFLICT (source, id) DO NOTHING`,
		r.source, r.ID, r.Name, r.Row, pos, r.Stamp, a.l.question, r.header, string(r.startState()), record, r.fault)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); n == 0 || err != nil {
		return false, err
	}
	num, err := res.LastInsertId()
	if err != nil {
		return false, err
	}
	a.last = pos
	if err := a.count(r, num, r.startState()); err != nil {
		return false, err
	}
	if r.header != 0 {
		if err := a.putFields(r, num); err != nil {
			return false, err
		}
	}
	return true, a.putFault(r, num)
}

// putFields writes the fields of a row, and drops those of what is a file now.
func (a *adding) putFields(r *listed, num int64) error {
	if r.header == 0 {
		_, err := a.tx.exec(`DELETE FROM documents WHERE item = ?`, num)
		return err
	}
	_, err := a.tx.exec(`INSERT OR REPLACE INTO documents (item, fields) VALUES (?, ?)`, num, r.fields)
	return err
}

// putFault writes the record of a document that can't be had.
func (a *adding) putFault(r *listed, num int64) error {
	if r.fault == "" {
		return nil
	}
	rec := &pipeline.Record{State: pipeline.Failed, Err: r.Err, Started: a.l.s.opts.Now()}
	return a.tx.putRecord(num, 0, rec, outcomeKeys{})
}

func (a *adding) lookUp(r *listed) (k *known, gone bool, err error) {
	k = &known{source: r.source, id: r.ID}
	found, err := a.tx.get(`SELECT num, name, row, pos, stamp, question, coalesce(header, 0), state, coalesce(fault, ''), gone_at IS NOT NULL
		FROM items WHERE source = ? AND id = ?`, []any{r.source, r.ID},
		&k.num, &k.name, &k.row, &k.pos, &k.stamp, &k.question, &k.header, &k.state, &k.fault, &gone)
	if err == nil && !found {
		err = fmt.Errorf("add %q of %s: the item is not there any more", r.ID, r.Source)
	}
	return k, gone, err
}

// update writes an item that is there. One that changed starts anew, but keeps its record until there is a new one.
func (a *adding) update(r *listed, k *known, pos int64, changed bool) error {
	if !changed {
		_, err := a.tx.exec(`UPDATE items SET name = ?, row = ?, pos = ?, header = nullif(?, 0), gone_at = NULL WHERE num = ?`,
			r.Name, r.Row, pos, r.header, k.num)
		if err != nil || k.header == r.header {
			return err
		}
		return a.putFields(r, k.num)
	}
	_, err := a.tx.exec(`UPDATE items SET name = ?, row = ?, pos = ?, header = nullif(?, 0), gone_at = NULL, stamp = ?, question = ?,
			state = ?, owner = NULL, attempts = 0, fault = nullif(?8, ''), record = iif(?8 = '', record, coalesce(record, 0) + 1),
			reason = CASE WHEN state = 'pending' AND reason = 'again' AND question = ?6 THEN 'again'
				WHEN ?10 OR state = 'pending' AND reason = 'changed' THEN 'changed' ELSE 'question' END
		WHERE num = ?9`,
		r.Name, r.Row, pos, r.header, r.Stamp, a.l.question, string(r.startState()), r.fault, k.num, r.Stamp != k.stamp || r.fault != k.fault)
	if err != nil {
		return err
	}
	if err := a.putFields(r, k.num); err != nil {
		return err
	}
	return a.putFault(r, k.num)
}

// posFor gives the ref i of the batch its place after the one before: the place it has (0: none) where that is in order,
// else one in the gap before the next item, spread so that others find room too. Where there is no room it takes the next
// place, and the items behind move in their turn.
func (a *adding) posFor(i int, has int64) (int64, error) {
	bound, rest, err := a.gap(i)
	if err != nil {
		return 0, err
	}
	if has > a.last && (a.bounded(i) == 0 || has < bound) {
		return has, nil
	}
	step := min(spacing, (bound-a.last)/int64(rest+1))
	return a.last + max(1, step), nil
}

// gap says where the next item is that stays where it is, and how many refs are to be put before it. At the end of a batch
// nobody knows how many will follow: they may have half of the gap.
func (a *adding) gap(i int) (bound int64, rest int, err error) {
	if bound := a.bounded(i); bound != 0 {
		return bound, a.batch[i].stays - i, nil
	}
	if a.next <= a.last {
		if a.next, err = a.firstAfter(a.last); err != nil {
			return 0, 0, err
		}
	}
	return a.next, 2 * (len(a.batch) - i), nil
}

// bounded is the pos of the next ref that stays where it is; 0 where there is none in the batch.
func (a *adding) bounded(i int) int64 {
	if j := a.batch[i].stays; j < len(a.batch) {
		return a.batch[j].same.pos
	}
	return 0
}

// firstAfter is the pos of the first item after pos; far away where there is none.
func (a *adding) firstAfter(pos int64) (int64, error) {
	next := int64(math.MaxInt64)
	_, err := a.tx.get(`SELECT pos FROM items INDEXED BY items_order WHERE gone_at IS NULL AND pos > ? ORDER BY pos LIMIT 1`, []any{pos}, &next)
	return next, err
}
