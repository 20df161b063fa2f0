import pytest

from effnet_edu.exercises import Choice, Question, Quiz, list_quizzes, quiz, quiz_of


@pytest.mark.parametrize("lesson", list_quizzes())
def test_every_choice_is_explained_and_one_is_right(lesson):
    questions = quiz_of(lesson).questions
    assert 4 <= len(questions) <= 6
    for question in questions:
        outcomes = [question.answer(index) for index in range(len(question.choices))]
        assert [outcome.state for outcome in outcomes].count("right") == 1
        assert all(len(outcome.message.split()) >= 5 for outcome in outcomes)
        assert len({outcome.message for outcome in outcomes}) == len(outcomes)


@pytest.mark.parametrize("lesson", list_quizzes())
def test_the_right_choice_is_not_always_in_the_same_place(lesson):
    places = {
        [choice.right for choice in question.choices].index(True) for question in quiz_of(lesson).questions
    }
    assert len(places) > 1


def test_score_counts_the_last_answer_of_each_question():
    question = Question("?", (Choice("a", "because", right=True), Choice("b", "no")))
    run = Quiz("x", (question, question))
    assert run.answer(0, 1).state == "wrong"
    assert run.answer(0, 0).state == "right"
    run.answer(1, 1)
    assert run.score == (1, 2)


def test_a_question_needs_exactly_one_right_choice():
    with pytest.raises(ValueError, match="exactly one of them right"):
        Question("?", (Choice("a", "x", right=True), Choice("b", "y", right=True)))
    with pytest.raises(ValueError, match="exactly one of them right"):
        Question("?", (Choice("a", "x"), Choice("b", "y")))


def test_unknown_quiz_names_those_there_are():
    with pytest.raises(ValueError, match="There are: 00_start_here"):
        quiz_of("09_nothing")


def test_the_view_checks_what_is_chosen():
    view = quiz("02_compound_scaling").questions[0]
    view.button.click()
    assert "Choose an answer first." in view.verdict.value
    right = [choice.right for choice in quiz_of("02_compound_scaling").questions[0].choices].index(True)
    view.choice.value = (right + 1) % 3
    view.button.click()
    assert 'role="status"' in view.verdict.value
    assert "Not yet." in view.verdict.value
    view.choice.value = right
    assert view.verdict.value == ""  # an old verdict never stands beside a new choice
    view.button.click()
    assert "Right." in view.verdict.value


def test_without_a_kernel_the_quiz_is_readable():
    bundle = quiz("02_compound_scaling")._repr_mimebundle_()
    questions = quiz_of("02_compound_scaling").questions
    assert bundle["text/html"].count("<details ") == sum(len(question.choices) for question in questions)
    assert "6 questions" in bundle["text/plain"]
