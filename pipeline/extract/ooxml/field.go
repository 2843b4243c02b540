package ooxml

import (
	"regexp"
	"strings"

	"docbatch/pipeline/extract/pack"
)

// A field is a w:fldChar that has begun: first its instruction, then its result. Only the result is text.
type field struct {
	instruction strings.Builder
	result      bool
	para        *paragraph // in which the result begins
	start       int        // and where in its text
	age         int        // paragraphs that the instruction has lasted
}

const (
	maxFields      = 100  // one within another
	maxInstruction = 4096 // bytes that are kept
	maxAge         = 8    // paragraphs after which an instruction is taken for text: its end was forgotten
)

// fieldMark reads a w:fldChar.
func (s *story) fieldMark(n *pack.Node) error {
	last := len(s.fields) - 1
	switch kind := n.Attr("w:fldCharType"); {
	case kind == "begin":
		err := s.children(s.formField)
		if len(s.fields) < maxFields {
			s.fields = append(s.fields, &field{})
		}
		return err
	case last < 0:
	case kind == "separate":
		f := s.fields[last]
		f.result, f.para, f.start = true, s.para, s.para.text.Len()
	case kind == "end":
		f := s.fields[last]
		s.fields = s.fields[:last]
		if f.result && f.para == s.para {
			s.link(f.start, address(f.instruction.String()))
		}
	}
	return nil
}

// formField reads what a field of a form shows that is no text in the document: a box to check, a choice.
func (s *story) formField(n *pack.Node) error {
	switch n.Name {
	case "w:ffData":
		return s.children(s.formField)
	case "w:checkBox":
		on := false
		err := s.children(func(n *pack.Node) error {
			if n.Name == "w:default" || n.Name == "w:checked" {
				on = isOn(n)
			}
			return nil
		})
		if on {
			s.put("☒")
		} else {
			s.put("☐")
		}
		return err
	case "w:ddList":
		chosen, at, choice := 0, 0, ""
		err := s.children(func(n *pack.Node) error {
			switch n.Name {
			case "w:result":
				chosen = number(n)
			case "w:listEntry":
				if at == chosen {
					choice = n.Attr("w:val")
				}
				at++
			}
			return nil
		})
		s.put(choice)
		return err
	}
	return nil
}

// instruct adds text to the innermost field whose instruction has not ended, and reports whether there is one.
func (s *story) instruct(text string) bool {
	for i := len(s.fields) - 1; i >= 0; i-- {
		if f := s.fields[i]; !f.result {
			if f.instruction.Len()+len(text) <= maxInstruction {
				f.instruction.WriteString(text)
			}
			return true
		}
	}
	return false
}

// age ends the instructions that have lasted for too many paragraphs.
func (s *story) age() {
	for _, f := range s.fields {
		if f.age++; f.age > maxAge {
			f.result = true
		}
	}
}

var hyperlink = regexp.MustCompile(`(?i)^\s*HYPERLINK\s+(?:"([^"]*)"|([^\s\\"]\S*))`)

// address is where a field of that instruction leads to; "" for one that leads nowhere outside.
func address(instruction string) string {
	m := hyperlink.FindStringSubmatch(instruction)
	if m == nil {
		return ""
	}
	return m[1] + m[2]
}
