package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// maxClaimBytes bounds the fields of one claim: rows may be large, and a claim is held in memory.
const maxClaimBytes = 8 << 20

// lease is one owner's right to hold items. Its owner is the number of its run.
type lease struct {
	s     *Store
	owner int64
}

// Join implements jobs.Queue: it begins a run.
func (s *Store) Join(ctx context.Context) (jobs.Lease, error) {
	l := &lease{s: s}
	err := s.writer.do(ctx, 0, func(tx *tx) error {
		now := s.opts.Now()
		res, err := tx.exec(`INSERT INTO runs (started_at, lease_until_at, host, pid, command) VALUES (?, ?, ?, ?, ?)`,
			now.UnixMilli(), now.Add(s.opts.Lease).UnixMilli(), s.host, os.Getpid(), s.opts.Command)
		if err != nil {
			return err
		}
		l.owner, err = res.LastInsertId()
		return err
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Owner implements jobs.Lease.
func (l *lease) Owner() int64 { return l.owner }

// Claim implements jobs.Lease. A claim holds at most about 8 MiB of fields.
func (l *lease) Claim(ctx context.Context, n int) ([]jobs.Item, error) {
	return l.claim(ctx, func(tx *tx) ([]jobs.Item, error) { return tx.pending(n, l.s.listing.Load()) })
}

// Take implements jobs.Lease.
func (l *lease) Take(ctx context.Context, refs []pipeline.Ref) ([]jobs.Item, error) {
	return l.claim(ctx, func(tx *tx) ([]jobs.Item, error) { return tx.pendingOf(refs, l.s.listing.Load()) })
}

// claim holds the items that choose finds pending.
func (l *lease) claim(ctx context.Context, choose func(*tx) ([]jobs.Item, error)) (claimed []jobs.Item, err error) {
	err = l.s.writer.do(ctx, 0, func(tx *tx) error {
		if err := l.check(tx); err != nil {
			return err
		}
		if err := tx.expire(l.s.now(), l.owner); err != nil {
			return err
		}
		if claimed, err = choose(tx); err != nil {
			return err
		}
		return l.hold(tx, claimed)
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// check refuses an owner whose lease was released.
func (l *lease) check(tx *tx) error {
	var one int
	there, err := tx.get(`SELECT 1 FROM runs WHERE num = ? AND lease_until_at IS NOT NULL`, []any{l.owner}, &one)
	if err == nil && !there {
		err = l.errReleased()
	}
	return err
}

func (l *lease) errReleased() error { return fmt.Errorf("owner %d: the lease was released", l.owner) }

// expire makes pending what others hold under a lease that has run out. Who claims lives: after a sleep of the machine it would
// be given what it is still at.
func (t *tx) expire(now, claimer int64) error {
	owners, err := t.numbers(`SELECT num FROM runs WHERE lease_until_at < ? AND num <> ?`, now, claimer)
	if err != nil {
		return err
	}
	for _, owner := range owners {
		if err := t.release(owner); err != nil {
			return err
		}
	}
	return nil
}

// release makes pending what owner holds.
func (t *tx) release(owner int64) error {
	_, err := t.exec(`UPDATE items SET state = 'pending', owner = NULL WHERE state = 'claimed' AND owner = ?`, owner)
	return err
}

// pendingOf reads those of refs that wait; of those that a listing has, if one goes on.
func (t *tx) pendingOf(refs []pipeline.Ref, listing *listing) ([]jobs.Item, error) {
	c := claim{most: math.MaxInt}
	for _, ref := range refs {
		err := t.each(selectPending+` FROM sources s CROSS JOIN items i ON i.source = s.num`+joinFields+`
			WHERE s.name = ? AND i.id = ? AND i.state = 'pending' AND i.gone_at IS NULL`, []any{ref.Source, ref.ID}, c.add)
		if err != nil {
			return nil, err
		}
	}
	if listing != nil {
		c.items = slices.DeleteFunc(c.items, func(it jobs.Item) bool { return !listing.has(it.Num) })
	}
	return c.items, nil
}

// pending reads the first n items that wait, and fewer where they are large; of those that a listing has, if one goes on.
func (t *tx) pending(n int, listing *listing) ([]jobs.Item, error) {
	nums := make([]int64, 0, n)
	end := int64(math.MaxInt64)
	if listing != nil {
		end = listing.end()
	}
	err := t.each(`SELECT num FROM items INDEXED BY items_pending WHERE state = 'pending' AND gone_at IS NULL AND pos <= ? ORDER BY pos, num`, []any{end},
		func(rows *sql.Rows) (bool, error) {
			if len(nums) >= n {
				return false, nil
			}
			var num int64
			err := rows.Scan(&num)
			if listing == nil || listing.has(num) {
				nums = append(nums, num)
			}
			return true, err
		})
	if err != nil || len(nums) == 0 {
		return nil, err
	}
	list, err := json.Marshal(nums)
	if err != nil {
		return nil, err
	}
	c := claim{most: maxClaimBytes}
	err = t.each(selectPending+` FROM json_each(?) e CROSS JOIN items i ON i.num = e.value CROSS JOIN sources s ON s.num = i.source`+joinFields+`
		ORDER BY e.key`, []any{string(list)}, c.add)
	return c.items, err
}

// selectPending are the columns that a claim scans, of tables named as in joinFields. One that has a record and no reason was
// pending before there were any.
const (
	selectPending = `SELECT i.num, s.name, i.id, i.name, i.stamp, i.row, i.attempts, iif(i.record IS NULL, 'new', coalesce(i.reason, 'again')),
		iif(i.reason = 'again', coalesce(i.after_answer, 0), 0),
		h.names, d.fields`
	joinFields = ` LEFT JOIN headers h ON h.num = i.header LEFT JOIN documents d ON d.item = i.num`
)

// A claim collects items, until they are too large for one.
type claim struct {
	most  int // bytes of fields, but one item at least
	items []jobs.Item
	bytes int
	row   fieldDecoder
}

func (c *claim) add(rows *sql.Rows) (more bool, err error) {
	var it jobs.Item
	err = rows.Scan(&it.Num, &it.Source, &it.ID, &it.Name, &it.Stamp, &it.Row, &it.Attempts, &it.Reason, &it.After, &c.row.names, &c.row.values)
	if err != nil {
		return false, err
	}
	c.bytes += len(c.row.values.String)
	if c.bytes > c.most && len(c.items) > 0 {
		return false, nil
	}
	it.Fields, err = c.row.fields()
	c.items = append(c.items, it)
	return true, err
}

// hold marks items as the owner's.
func (l *lease) hold(tx *tx, items []jobs.Item) error {
	nums := make([]int64, len(items))
	for i, it := range items {
		nums[i] = it.Num
	}
	list, err := json.Marshal(nums)
	if err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE items SET state = 'claimed', owner = ? WHERE num IN (SELECT value FROM json_each(?))`, l.owner, string(list))
	return err
}

// Extend implements jobs.Lease.
func (l *lease) Extend(ctx context.Context) error {
	return l.s.writer.do(ctx, 0, func(tx *tx) error {
		until := l.s.opts.Now().Add(l.s.opts.Lease).UnixMilli()
		res, err := tx.exec(`UPDATE runs SET lease_until_at = ? WHERE num = ? AND lease_until_at IS NOT NULL`, until, l.owner)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); n == 0 || err != nil {
			return l.errReleased()
		}
		return nil
	})
}

// Release implements jobs.Lease.
func (l *lease) Release(ctx context.Context) error {
	return l.s.writer.do(ctx, 0, func(tx *tx) error {
		if _, err := tx.exec(`UPDATE runs SET lease_until_at = NULL WHERE num = ?`, l.owner); err != nil {
			return err
		}
		return tx.release(l.owner)
	})
}

// fieldDecoder makes fields of the names and values of rows. Rows in a row mostly share their header, which it decodes once.
type fieldDecoder struct {
	names, values sql.NullString // as scanned
	header        string         // what columns were decoded from
	columns       []string
}

// fields gives the fields of the row that was scanned; nil for a file.
func (d *fieldDecoder) fields() ([]pipeline.Field, error) {
	if !d.names.Valid {
		return nil, nil
	}
	if d.header != d.names.String {
		d.columns = nil
		if err := json.Unmarshal([]byte(d.names.String), &d.columns); err != nil {
			return nil, fmt.Errorf("decode header: %w", err)
		}
		d.header = d.names.String
	}
	values, err := decodeStrings(d.values.String)
	if err != nil {
		return nil, fmt.Errorf("decode fields: %w", err)
	}
	if len(values) != len(d.columns) {
		return nil, fmt.Errorf("decode fields: %d values, %d columns", len(values), len(d.columns))
	}
	fields := make([]pipeline.Field, len(values))
	for i := range values {
		fields[i] = pipeline.Field{Name: d.columns[i], Value: values[i]}
	}
	return fields, nil
}

// decodeStrings decodes a JSON array of strings. One without escapes is cut apart: that is most of them, and ten times as fast
// as encoding/json, which took 11 microseconds for a row of 1 KB.
func decodeStrings(list string) ([]string, error) {
	if strings.HasPrefix(list, `["`) && strings.HasSuffix(list, `"]`) && len(list) >= 4 && !strings.Contains(list, `\`) {
		return strings.Split(list[2:len(list)-2], `","`), nil
	}
	var values []string
	err := json.Unmarshal([]byte(list), &values)
	return values, err
}
